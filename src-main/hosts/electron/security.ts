import { dialog, shell, type App, type BrowserWindow, type Session, type WebContents } from 'electron';
import { pageOrigin } from '../../../shared/contract/desktop.ts';

/** Sites that a link in the window may open in the person's browser, after a question. */
const outsideHosts: ReadonlySet<string> = new Set(['github.com', 'www.electronjs.org', 'libp2p.io', 'docs.libp2p.io']);

/**
 * The one permission a page has: to put text on the clipboard when a person presses Copy. It cannot read it.
 */
const grantedPermission = 'clipboard-sanitized-write';

/** What every window's page runs with. Tests hold these three against the built program. */
export const pagePreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInSubFrames: false,
  nodeIntegrationInWorker: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
} as const;

/** Denies what no page of ours needs: permissions, devices, downloads and every request that leaves the app. */
export function lockSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, decide, details) => {
    decide(permission === grantedPermission && details.isMainFrame && isOwnAddress(details.requestingUrl));
  });
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === grantedPermission && isOwnAddress(`${origin}/`),
  );
  session.setDevicePermissionHandler(() => false);
  session.setBluetoothPairingHandler((_details, answer) => answer({ confirmed: false }));
  session.on('will-download', (event) => event.preventDefault());
  session.webRequest.onBeforeRequest((details, answer) => answer({ cancel: !mayLoad(details.url) }));
}

/** Locks every page there will ever be, also those that some library might open. */
export function lockPages(app: App): void {
  app.on('web-contents-created', (_event, contents) => lockPage(contents));
}

function lockPage(contents: WebContents): void {
  contents.on('will-navigate', (details) => details.preventDefault());
  contents.on('will-redirect', (details) => details.preventDefault());
  contents.on('will-frame-navigate', (details) => details.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    offerOutside(url).catch((error: unknown) => console.error('a link could not be opened:', error));
    return { action: 'deny' };
  });
}

/** Opens a link of the allow-list in the browser, when the person says so. Answers whether it was opened. */
export async function offerOutside(address: string): Promise<boolean> {
  const url = outsideAddress(address);
  if (url === null) return false;
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: `Open ${url.host} in the browser?`,
    detail: url.href,
    buttons: ['Open', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
  });
  if (response !== 0) return false;
  await shell.openExternal(url.href);
  return true;
}

/** The address when it is https, carries no credentials and leads to a site of the allow-list. */
export function outsideAddress(address: string): URL | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  const isPlain = url.protocol === 'https:' && url.username === '' && url.password === '' && url.port === '';
  return isPlain && outsideHosts.has(url.hostname) ? url : null;
}

/** True for the address that the node process of this machine said its own pages are at. */
export function isLoopbackAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === 'http:' && url.hostname === '127.0.0.1' && url.username === '' && url.password === '';
}

/** A request counts only from the top frame of our own window showing our own page. */
export function isOwnTopFrame(
  event: {
    readonly sender: WebContents;
    readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
  },
  window: BrowserWindow | null,
): boolean {
  const frame = event.senderFrame;
  if (window === null || window.isDestroyed() || frame === null) return false;
  return event.sender === window.webContents && frame.parent === null && isOwnAddress(frame.url);
}

const isOwnAddress = (address: string): boolean => address.startsWith(`${pageOrigin}/`);

const mayLoad = (address: string): boolean =>
  isOwnAddress(address) || address.startsWith('data:image/') || address.startsWith('devtools:');
