import { dialog, ipcMain, Notification, type BrowserWindow, type IpcMainInvokeEvent } from 'electron';
import {
  desktopChannel,
  parseDesktopRequest,
  portMessage,
  type DesktopRequest,
} from '../../../shared/contract/desktop.ts';
import type { NodeProcess } from './node-process.ts';
import { isOwnTopFrame } from './security.ts';

/** Requests a window may make within one second; a page that asks more often is not ours, or broken. */
const requestsPerSecondMax = 20;
/** Paths given back at once; a folder names any number of files. */
const pathsMax = 10_000;

export interface DesktopRequestsOptions {
  readonly node: NodeProcess;
  readonly window: () => BrowserWindow | null;
  readonly show: () => void;
}

/** Answers the page, on the one channel there is. Whatever comes from anywhere but our own top frame is refused. */
export function answerPage(options: DesktopRequestsOptions): void {
  const recent: number[] = [];
  ipcMain.handle(desktopChannel, async (event: IpcMainInvokeEvent, input: unknown) => {
    if (!isOwnTopFrame(event, options.window())) throw new Error('only the window of Skein may ask this');
    const now = performance.now();
    while (recent.length > 0 && now - (recent[0] ?? now) > 1_000) recent.shift();
    if (recent.length >= requestsPerSecondMax) throw new Error('the window asks too often');
    recent.push(now);
    const request = parseDesktopRequest(input);
    if (!request.ok) throw new Error(request.failure.message);
    return carryOut(request.value, event, options);
  });
}

async function carryOut(
  request: DesktopRequest,
  event: IpcMainInvokeEvent,
  options: DesktopRequestsOptions,
): Promise<unknown> {
  const window = options.window();
  if (window === null) return null;
  if (request.verb === 'request-port') {
    options.node.withPort((port) => {
      // The page may have gone while the node started; its port must not reach whoever is there now.
      if (isOwnTopFrame(event, options.window())) event.sender.postMessage(portMessage, null, [port]);
      else port.close();
    });
    return null;
  }
  if (request.verb === 'pick-files') {
    const properties =
      request.kind === 'folder' ? (['openDirectory'] as const) : (['openFile', 'multiSelections'] as const);
    const { canceled, filePaths } = await dialog.showOpenDialog(window, { properties: [...properties] });
    return canceled ? [] : filePaths.slice(0, pathsMax);
  }
  if (window.isFocused() || !Notification.isSupported()) return false;
  const notification = new Notification({ title: request.title, body: request.body });
  notification.on('click', options.show);
  notification.show();
  return true;
}
