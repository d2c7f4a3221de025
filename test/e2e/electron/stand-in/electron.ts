/**
 * Stands in for the module `electron` of the main process: Node and Debian's Chromium. It is NOT Electron: it has no isolated worlds, no
 * sandbox, no sessions, no fuses and no archive, and says nothing about those.
 */
import { EventEmitter } from 'node:events';
import { record, setTrayMenu } from './state.ts';
import { StandInUtilityProcess } from './utility-process.ts';

export { app, ipcMain, session } from './state.ts';
export { BrowserWindow } from './window.ts';
export { MessageChannelMain } from './ports.ts';

export const utilityProcess = {
  fork(program: string, args: readonly string[]) {
    const flags = JSON.parse(process.env['STAND_IN_NODE_FLAGS'] ?? '[]') as readonly string[];
    const child = new StandInUtilityProcess(program, [...args, ...flags]);
    record('fork', { program, pid: child.pid });
    return child;
  },
};

export const protocol = { registerSchemesAsPrivileged: (schemes: unknown) => record('schemes', schemes) };
export const powerMonitor = new EventEmitter();
export const nativeTheme = Object.assign(new EventEmitter(), { shouldUseDarkColors: true });
export const clipboard = {
  writeText: (text: string) => {
    record('clipboard', text);
    return Promise.resolve();
  },
};
export const shell = {
  openExternal: (address: string) => {
    record('external', address);
    return Promise.resolve();
  },
};

export const dialog = {
  showMessageBox(...args: unknown[]) {
    record('message-box', args.at(-1));
    return Promise.resolve({ response: Number(process.env['STAND_IN_ANSWER'] ?? '0') });
  },
  showOpenDialog: () => Promise.resolve({ canceled: false, filePaths: ['/home/someone/picture.png'] }),
  showErrorBox: (title: string, content: string) => record('error-box', { title, content }),
};

export class Notification extends EventEmitter {
  static isSupported = (): boolean => true;
  readonly options: unknown;
  constructor(options: unknown) {
    super();
    this.options = options;
  }
  show(): void {
    record('notification', this.options);
  }
}

interface Entry {
  readonly label?: string;
  readonly submenu?: readonly Entry[];
  readonly click?: () => void;
}
const labelsOf = (entries: readonly Entry[]): unknown[] =>
  entries.map((entry) => (entry.submenu === undefined ? (entry.label ?? '—') : [entry.label, labelsOf(entry.submenu)]));

export const Menu = {
  buildFromTemplate: (template: readonly Entry[]) => ({ template }),
  setApplicationMenu: (menu: { template: readonly Entry[] }) => record('app-menu', menu.template.length),
};

export const nativeImage = {
  createFromPath: (path: string) => ({ path, setTemplateImage: () => undefined }),
  createEmpty: () => ({ path: '', setTemplateImage: () => undefined }),
};

export class Tray extends EventEmitter {
  constructor(image: { path: string }) {
    super();
    this.setImage(image);
  }
  setImage(image: { path: string }): void {
    record('tray-image', image.path);
  }
  setToolTip(text: string): void {
    record('tray-tip', text);
  }
  setContextMenu(menu: { template: readonly Entry[] }): void {
    setTrayMenu(menu.template);
    record('tray-menu', labelsOf(menu.template));
  }
  destroy(): void {
    record('tray', 'destroyed');
  }
}
