import { RPCLink as MessagePortLink } from '@orpc/client/message-port';
import { RPCLink as WebSocketLink } from '@orpc/client/websocket';
import { createSkeinClient, type SkeinClient } from '../../shared/contract/client.ts';
import { portMessage, type DesktopBridge } from '../../shared/contract/desktop.ts';
import { fail, ok, type Result } from '../../shared/domain/failure.ts';

/** A live line to the node process. It ends once, with the reason in words. */
export interface Connection {
  readonly client: SkeinClient;
  readonly ended: Promise<string>;
  close(): void;
}

/** Opens a line. Failures are `not-running` (nobody answers), `timed-out` and `not-authorised` (the page has no session). */
export type Connect = () => Promise<Result<Connection>>;

declare global {
  interface Window {
    /** Lent by the preload script in the desktop app; a browser has none. */
    readonly skein?: DesktopBridge;
  }
}

const openWithinMs = 8_000;

/** In the desktop app through the preload's port, anywhere else through a WebSocket of the page's own origin. */
export function chooseConnect(page: Window): Connect {
  const bridge = page.skein;
  return bridge === undefined ? () => connectWebSocket(page) : () => connectPort(page, bridge);
}

async function connectPort(page: Window, bridge: DesktopBridge): Promise<Result<Connection>> {
  const port = await receivePort(page, bridge);
  if (port === null) {
    return fail('timed-out', 'The Skein process on this machine did not answer.', 'Quit Skein and start it again.');
  }
  const ended = Promise.withResolvers<string>();
  port.addEventListener('close', () => ended.resolve('The Skein process on this machine stopped.'));
  const client = createSkeinClient(new MessagePortLink({ port }));
  port.start();
  return ok({ client, ended: ended.promise, close: () => port.close() });
}

function receivePort(page: Window, bridge: DesktopBridge): Promise<MessagePort | null> {
  return new Promise((resolve) => {
    const finish = (port: MessagePort | null): void => {
      clearTimeout(timer);
      page.removeEventListener('message', receive);
      resolve(port);
    };
    const receive = (event: MessageEvent): void => {
      // Only the page itself (the preload shares its window) may hand over a port; a frame never may.
      if (event.source !== page || event.data !== portMessage) return;
      finish(event.ports[0] ?? null);
    };
    const timer = setTimeout(() => finish(null), openWithinMs);
    page.addEventListener('message', receive);
    bridge.requestPort();
  });
}

async function connectWebSocket(page: Window): Promise<Result<Connection>> {
  const session = await exchangeToken(page);
  if (!session.ok) return session;
  const url = new URL('/api/ws', page.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  const ended = Promise.withResolvers<string>();
  socket.addEventListener('close', (event) => ended.resolve(describeClose(event)));
  if (!(await opened(socket))) {
    socket.close();
    return (await sessionIsKnown())
      ? fail(
          'not-running',
          'The Skein process on this machine does not answer.',
          'See whether it runs with “skein status”.',
        )
      : fail(
          'not-authorised',
          'This page is not signed in to Skein.',
          'Open the address that “skein daemon open” prints: it holds a key that works once.',
        );
  }
  return ok({
    client: createSkeinClient(new WebSocketLink({ websocket: socket })),
    ended: ended.promise,
    close: () => socket.close(),
  });
}

/** Trades the one-time token of the address for a cookie that no script can read, and takes it out of the address bar. */
async function exchangeToken(page: Window): Promise<Result<null>> {
  const token = new URLSearchParams(page.location.hash.replace(/^#\/?/, '')).get('token');
  if (token === null) return ok(null);
  page.history.replaceState(null, '', `${page.location.pathname}${page.location.search}#/`);
  try {
    const response = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    // A token that was used before is no reason to stop: the cookie it gave may still be good.
    return response.ok || (await sessionIsKnown())
      ? ok(null)
      : fail(
          'not-authorised',
          'The key in this address was already used or is no longer valid.',
          'Open the address that “skein daemon open” prints now.',
        );
  } catch {
    return fail(
      'not-running',
      'The Skein process on this machine does not answer.',
      'See whether it runs with “skein status”.',
    );
  }
}

/** Whether the server is there and knows this page. A server that is away counts as known: that is the other failure. */
async function sessionIsKnown(): Promise<boolean> {
  try {
    const response = await fetch('/api/session', { method: 'GET' });
    const answer: unknown = await response.json();
    return !(typeof answer === 'object' && answer !== null && 'signedIn' in answer && answer.signedIn === false);
  } catch {
    return true;
  }
}

function opened(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), openWithinMs);
    const settle = (isOpen: boolean) => () => {
      clearTimeout(timer);
      resolve(isOpen);
    };
    socket.addEventListener('open', settle(true), { once: true });
    socket.addEventListener('error', settle(false), { once: true });
    socket.addEventListener('close', settle(false), { once: true });
  });
}

function describeClose(event: CloseEvent): string {
  return event.reason === ''
    ? 'The line to the Skein process on this machine was cut.'
    : `The Skein process ended the line: ${event.reason}.`;
}
