import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { chromium, type Browser, type Page, type Route } from 'playwright-core';
import { carry, uncarry, type Carried, type StandInPort } from './ports.ts';
import { answerInvoke, app, record, session } from './state.ts';

/** Chromium has no `app://` here, so the pages lie at an address of their own, and are called `app://skein` to the program. */
const standInOrigin = 'https://skein.stand-in';
const appOrigin = 'app://skein';
const appAddress = (address: string): string => address.replace(standInOrigin, appOrigin);

let browser: Promise<Browser> | null = null;
const launch = (): Promise<Browser> =>
  (browser ??= chromium.launch({
    executablePath: process.env['SKEIN_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  }));

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

interface WindowOptions {
  readonly width?: number;
  readonly height?: number;
  readonly webPreferences?: Readonly<Record<string, unknown>> & { readonly preload?: string };
}

/** Refuses what Electron would allow and we never want. */
export function refuseInsecure(preferences: Readonly<Record<string, unknown>>): void {
  const wanted = {
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webSecurity: true,
    webviewTag: false,
  };
  for (const [name, value] of Object.entries(wanted)) {
    if (preferences[name] !== value)
      throw new Error(`stand-in: insecure webPreferences: ${name} must be ${String(value)}`);
  }
}

class WebContents extends EventEmitter {
  readonly #window: BrowserWindow;
  readonly session = session.defaultSession;
  readonly mainFrame = { url: `${appOrigin}/index.html`, parent: null };
  openHandler: ((details: { url: string }) => { action: string }) | null = null;
  #portCount = 0;
  readonly ports = new Map<number, StandInPort>();

  constructor(window: BrowserWindow) {
    super();
    this.#window = window;
  }

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler;
  }

  postMessage(channel: string, message: unknown, ports: readonly StandInPort[] = []): void {
    const numbers = ports.map((port) => {
      const number = ++this.#portCount;
      this.ports.set(number, port);
      port.raw.on('message', (data: unknown) => this.#window.tell('port', number, carry(data)));
      port.raw.on('close', () => this.#window.tell('close', number, null));
      return number;
    });
    this.#window.tell('message', channel, { message, ports: numbers });
  }
}

/** Stands in for a window: a page of a real Chromium, without Electron's isolated world. */
export class BrowserWindow extends EventEmitter {
  static readonly all: BrowserWindow[] = [];
  readonly options: WindowOptions;
  readonly webContents: WebContents;
  page: Page | null = null;
  isShown = false;

  constructor(options: WindowOptions) {
    super();
    refuseInsecure(options.webPreferences ?? {});
    this.options = options;
    this.webContents = new WebContents(this);
    BrowserWindow.all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }

  show(): void {
    this.isShown = true;
  }
  hide(): void {
    this.isShown = false;
  }
  focus(): void {
    record('window', 'focus');
  }
  restore(): void {}
  isMinimized = (): boolean => false;
  isDestroyed = (): boolean => false;
  isFocused = (): boolean => false;

  async loadURL(address: string): Promise<void> {
    record('load', address);
    const first = this.page === null;
    this.page ??= await this.#open();
    await this.page.goto(address.replace(appOrigin, standInOrigin));
    if (first) this.emit('ready-to-show');
  }

  /** Hands something to the part of the preload's stand-in that lives in the page. */
  tell(kind: string, name: string | number, content: unknown): void {
    const told = this.page?.evaluate(
      ([what, which, whole]) =>
        (window as never as { standInTell: (...all: unknown[]) => void }).standInTell(what, which, whole),
      [kind, name, content] as const,
    );
    told?.catch((error: unknown) => record('lost', String(error)));
  }

  async #open(): Promise<Page> {
    const page = await (
      await launch()
    ).newPage({ viewport: { width: this.options.width ?? 800, height: this.options.height ?? 600 } });
    page.on('pageerror', (error) => record('page-error', error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') record('console-error', message.text());
    });
    await page.route('**/*', (route) => serve(route));
    await page.exposeBinding('standInInvoke', ({ frame }, channel: string, args: unknown[]) => {
      const senderFrame = { url: appAddress(frame.url()), parent: frame.parentFrame() };
      return answerInvoke(channel, { sender: this.webContents, senderFrame }, args);
    });
    await page.exposeBinding('standInPort', (_source, number: number, data: Carried | null) => {
      const port = this.webContents.ports.get(number);
      if (data === null) port?.close();
      else port?.postMessage(uncarry(data));
    });
    await page.addInitScript({ content: preloadScript(this.options.webPreferences?.preload ?? '') });
    return page;
  }
}

/** Every request of the page goes first through the session's filter, then to the protocol handler the program registered. */
async function serve(route: Route): Promise<void> {
  const url = appAddress(route.request().url());
  const { filter, protocols } = session.defaultSession;
  const cancelled =
    filter === null
      ? false
      : await new Promise<boolean>((resolve) => filter({ url }, ({ cancel }) => resolve(cancel === true)));
  const handler = protocols.get('app');
  if (cancelled || handler === undefined || !url.startsWith('app:')) {
    record('blocked', url);
    await route.abort('blockedbyclient');
    return;
  }
  const response = await handler({ method: route.request().method(), url } as Request);
  await route.fulfill({
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  });
}

/** The real built preload, with what it requires of `electron` written for a page. */
function preloadScript(file: string): string {
  return `(() => {
  const invoke = window.standInInvoke, toPort = window.standInPort, listeners = new Map(), ports = new Map();
  delete window.standInInvoke; delete window.standInPort;
  const uncarry = (carried) => 'text' in carried ? carried.text : Uint8Array.from(atob(carried.base64), (letter) => letter.charCodeAt(0));
  const carry = async (data) => typeof data === 'string' ? { text: data } : { base64: btoa(String.fromCharCode(...new Uint8Array(data.buffer ?? data))) };
  const adopt = (number) => {
    const { port1, port2 } = new MessageChannel();
    ports.set(number, port1);
    port1.onmessage = async ({ data }) => toPort(number, await carry(data));
    port1.addEventListener('close', () => toPort(number, null));
    return port2;
  };
  Object.defineProperty(window, 'standInTell', { value: (kind, name, content) => {
    if (kind === 'port') ports.get(name)?.postMessage(uncarry(content));
    else if (kind === 'close') { ports.get(name)?.close(); ports.delete(name); }
    else for (const listener of listeners.get(name) ?? []) listener({ ports: content.ports.map(adopt) }, content.message);
  } });
  const exposed = [];
  Object.defineProperty(window, 'standInExposed', { value: exposed });
  const electron = {
    contextBridge: { exposeInMainWorld: (name, value) => { exposed.push(name); Object.defineProperty(window, name, { value: Object.freeze(value) }); } },
    webUtils: { getPathForFile: (file) => '/dropped/' + file.name },
    ipcRenderer: { invoke: (channel, ...args) => invoke(channel, args), on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]) },
  };
  const require = (name) => { if (name === 'electron') return electron; throw new Error('a sandboxed preload cannot require ' + name); };
  (function (require, module, exports, process) {${readFileSync(file, 'utf8')}\n})(require, { exports: {} }, {}, { platform: ${JSON.stringify(process.platform)} });
})()`;
}
