/** Runs a built main program on the stand-in and obeys the test that started it. Arguments: the program. */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { app, becomeReady, pickFromTray, recorded, session, answerInvoke } from './state.ts';
import { BrowserWindow, closeBrowser, refuseInsecure } from './window.ts';

const standIn = new URL('./electron.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: standIn, shortCircuit: true } : next(specifier, context),
});

/** What a test may ask. */
export interface Order {
  readonly id: number;
  readonly verb: keyof typeof verbs;
  readonly args: readonly unknown[];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
function firstWindow(): BrowserWindow {
  const window = BrowserWindow.all[0];
  if (window === undefined) throw new Error('the program opened no window');
  return window;
}

const verbs = {
  recorded: () => recorded,
  evaluate: async (expression: unknown) => firstWindow().page?.evaluate(text(expression)),
  title: async () => firstWindow().page?.title(),
  bodyText: async () => firstWindow().page?.locator('body').innerText(),
  click: async (selector: unknown) => firstWindow().page?.click(text(selector)),
  fill: async (selector: unknown, value: unknown) => firstWindow().page?.fill(text(selector), text(value)),
  screenshot: async (path: unknown) => void (await firstWindow().page?.screenshot({ path: text(path) })),
  isShown: () => firstWindow().isShown,
  preferences: () => firstWindow().options.webPreferences,
  refuses: (preferences: unknown) => {
    try {
      refuseInsecure(preferences as Record<string, unknown>);
      return false;
    } catch {
      return true;
    }
  },
  /** Whether the program prevents an event of the page. */
  prevents: (event: unknown) => {
    let isPrevented = false;
    const details = { url: 'https://example.org/', preventDefault: () => (isPrevented = true) };
    firstWindow().webContents.emit(text(event), details, 'https://example.org/');
    return isPrevented;
  },
  openWindow: (url: unknown) => firstWindow().webContents.openHandler?.({ url: text(url) }),
  mayRequest: (permission: unknown) =>
    new Promise((resolve) => {
      const details = { isMainFrame: true, requestingUrl: 'app://skein/index.html' };
      session.defaultSession.permissionRequest?.(null, text(permission), resolve, details);
    }),
  mayCheck: (permission: unknown, origin: unknown) =>
    session.defaultSession.permissionCheck?.(null, text(permission), text(origin)),
  mayUseDevice: () => session.defaultSession.devicePermission?.(),
  fetchPage: async (url: unknown) => {
    const response = await session.defaultSession.protocols.get('app')?.(new Request(text(url)));
    return { status: response?.status, policy: response?.headers.get('content-security-policy') };
  },
  /** Sends a request on a channel as some frame, the way a page of ours never would. */
  invokeAs: async (channel: unknown, frame: unknown, request: unknown) => {
    const sender = firstWindow().webContents;
    return answerInvoke(text(channel), { sender, senderFrame: frame }, [request]);
  },
  emit: (event: unknown, ...args: unknown[]) => app.emit(text(event), { preventDefault: () => undefined }, ...args),
  pickFromTray: (...labels: unknown[]) => pickFromTray(labels.map(text)),
  quit: () => app.quit(),
};

async function obey(order: Order): Promise<void> {
  try {
    const verb: (...args: readonly unknown[]) => unknown = verbs[order.verb];
    process.send?.({ id: order.id, value: await verb(...order.args) });
  } catch (error) {
    process.send?.({ id: order.id, error: error instanceof Error ? error.message : String(error) });
  }
}

const end = (code: number): void => {
  closeBrowser().then(
    () => process.exit(code),
    () => process.exit(1),
  );
};
process.on('message', (order) => void obey(order as Order));
process.on('disconnect', () => end(0));
app.on('stand-in-exit', end);

await import(pathToFileURL(process.argv[2] ?? '').href);
becomeReady();
process.send?.({ id: 0, value: 'started' });
