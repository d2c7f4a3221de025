import { EventEmitter } from 'node:events';
import { join } from 'node:path';

/** What the program did to the stand-in, for tests to look at. */
export interface Recorded {
  readonly what: string;
  readonly value: unknown;
}
const recordedMax = 10_000;
export const recorded: Recorded[] = [];
export function record(what: string, value: unknown): void {
  if (recorded.length < recordedMax) recorded.push({ what, value });
}

const folder = process.env['STAND_IN_FOLDER'] ?? '';
const ready = Promise.withResolvers<void>();

/** Stands in for `app`. */
export const app = Object.assign(new EventEmitter(), {
  isPackaged: false,
  whenReady: () => ready.promise,
  requestSingleInstanceLock: () => process.env['STAND_IN_SECOND'] === undefined,
  enableSandbox: () => record('sandbox', 'enabled'),
  setAsDefaultProtocolClient: (scheme: string) => record('default-protocol', scheme),
  getPath: (name: string) => join(folder, name),
  quit() {
    let isPrevented = false;
    app.emit('before-quit', { preventDefault: () => (isPrevented = true) });
    if (!isPrevented) app.exit(0);
  },
  exit(code: number) {
    record('exit', code);
    app.emit('stand-in-exit', code);
  },
});

export const becomeReady = (): void => ready.resolve();

type Invoked = (event: unknown, ...args: unknown[]) => unknown;
const handlers = new Map<string, Invoked>();

/** Stands in for `ipcMain`. */
export const ipcMain = Object.assign(new EventEmitter(), {
  handle(channel: string, handler: Invoked) {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    handlers.set(channel, handler);
    record('handle', channel);
  },
});

export async function answerInvoke(channel: string, event: unknown, args: readonly unknown[]): Promise<unknown> {
  const handler = handlers.get(channel);
  if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
  return structuredClone(await handler(event, ...args));
}

type RequestFilter = (details: { url: string }, answer: (decision: { cancel?: boolean }) => void) => void;
type PermissionRequest = (
  contents: unknown,
  permission: string,
  decide: (granted: boolean) => void,
  details: unknown,
) => void;
type PermissionCheck = (contents: unknown, permission: string, origin: string) => boolean;

class StandInSession extends EventEmitter {
  filter: RequestFilter | null = null;
  permissionRequest: PermissionRequest | null = null;
  permissionCheck: PermissionCheck | null = null;
  devicePermission: (() => boolean) | null = null;
  readonly protocols = new Map<string, (request: Request) => Promise<Response>>();
  readonly protocol = {
    handle: (scheme: string, handler: (request: Request) => Promise<Response>) =>
      void this.protocols.set(scheme, handler),
  };
  readonly webRequest = { onBeforeRequest: (filter: RequestFilter) => void (this.filter = filter) };

  setPermissionRequestHandler(handler: PermissionRequest): void {
    this.permissionRequest = handler;
  }
  setPermissionCheckHandler(handler: PermissionCheck): void {
    this.permissionCheck = handler;
  }
  setDevicePermissionHandler(handler: () => boolean): void {
    this.devicePermission = handler;
  }
  setBluetoothPairingHandler(): void {}
}

/** Stands in for `session`. */
export const session = { defaultSession: new StandInSession() };

interface MenuEntry {
  readonly label?: string;
  readonly submenu?: readonly MenuEntry[];
  readonly click?: () => void;
}
let trayMenu: readonly MenuEntry[] = [];
export const setTrayMenu = (menu: readonly MenuEntry[]): void => {
  trayMenu = menu;
};

/** Picks an entry of the tray's present menu by its labels, from the outside in. */
export function pickFromTray(labels: readonly string[]): void {
  let entries = trayMenu;
  let found: MenuEntry | undefined;
  for (const label of labels) {
    found = entries.find((entry) => entry.label === label);
    entries = found?.submenu ?? [];
  }
  if (found?.click === undefined) throw new Error(`the tray has no ${labels.join(' → ')}`);
  found.click();
}
