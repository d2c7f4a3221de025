import { BrowserWindow, nativeTheme } from 'electron';
import { pageOrigin } from '../../../shared/contract/desktop.ts';
import { pagePreferences } from './security.ts';

/** The colours of the page behind its content, so that nothing flashes before it is painted. */
const backgroundDark = '#0f1419';
const backgroundLight = '#f7f8fa';

export interface WindowOptions {
  readonly preload: string;
  readonly icon: string;
  /** Called when a person closes the window; true keeps it alive, hidden. */
  readonly onClose: (window: BrowserWindow) => boolean;
}

/** The address of a place in the page: `#/tasks`, or empty for where it was. */
export const pageAddress = (place: string): string => `${pageOrigin}/index.html${place}`;

/** Opens the one window of the app at a place. */
export function openWindow(place: string, options: WindowOptions): BrowserWindow {
  const window = new BrowserWindow({
    width: 1_240,
    height: 820,
    minWidth: 380,
    minHeight: 480,
    show: false,
    title: 'Skein',
    icon: options.icon,
    backgroundColor: nativeTheme.shouldUseDarkColors ? backgroundDark : backgroundLight,
    autoHideMenuBar: true,
    webPreferences: { ...pagePreferences, preload: options.preload },
  });
  window.once('ready-to-show', () => window.show());
  window.on('close', (event) => {
    if (options.onClose(window)) event.preventDefault();
  });
  load(window, pageAddress(place));
  return window;
}

/** Brings the window to the front, and to a place when one is named. */
export function showWindow(window: BrowserWindow, place: string): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
  if (place !== '') load(window, pageAddress(place));
}

/** What a page of a crashed renderer showed is in the node process: loading it again brings it back. */
export function reloadAfterCrash(window: BrowserWindow, onGiveUp: () => void): void {
  const crashes: number[] = [];
  window.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit' || window.isDestroyed()) return;
    crashes.push(performance.now());
    const recent = crashes.filter((at) => performance.now() - at < 60_000).length;
    if (recent > 3) onGiveUp();
    else load(window, pageAddress(''));
  });
}

function load(window: BrowserWindow, address: string): void {
  window.loadURL(address).catch((error: unknown) => console.error(`${address} could not be shown:`, error));
}
