import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { FailureError } from '../../../shared/domain/failure.ts';
import { BrowserSessions, sameText } from './browser-sessions.ts';
import { httpPaths, type HttpApi } from './http-api.ts';
import type { NodeLog } from './node-log.ts';
import { requestBytesMax, type RpcSockets } from './rpc-socket.ts';
import { serveStatic } from './static-files.ts';
import { stopServer } from './stop-server.ts';
import { readBody, refuseForeign, sendFailure, sendJson, setSecurityHeaders } from './web-guard.ts';

/** Only this machine itself can connect. */
const loopback = '127.0.0.1';
const connectionsMax = 256;
const socketsMax = 64;
const sessionRequestBytesMax = 4_096;

export interface WebServerOptions {
  readonly httpApi: HttpApi;
  readonly rpcSockets: RpcSockets;
  /** The secret that programs show as `Authorization: Bearer …`. */
  readonly apiToken: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Folder of the built user interface; null when there is none. */
  readonly uiFolder: string | null;
  readonly log: NodeLog;
}

export interface WebServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** An address that signs in the one browser that opens it first. */
  newAddress(): string;
  stop(): Promise<void>;
}

/** Starts the server for browsers and scripts on this machine. Throws `port-in-use` when the port is taken. */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000 });
  server.maxConnections = connectionsMax;
  const port = await listen(server, options.port);
  const sessions = new BrowserSessions(options.apiToken, port);
  const site: Site = { ...options, port, sessions };
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: requestBytesMax, perMessageDeflate: false });

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(site, request, response).catch((error: unknown) => {
      options.log.debug('a web request failed', { path: request.url?.slice(0, 200), error: String(error) });
      sendFailure(response, 500, 'internal', 'the request could not be answered');
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refused = refuseUpgrade(site, request, webSockets.clients.size);
    if (refused !== null) {
      socket.end(`HTTP/1.1 ${refused}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => options.rpcSockets.serve(webSocket));
  });

  const origin = `http://${loopback}:${port}`;
  return {
    port,
    origin,
    newAddress: () => `${origin}/#token=${sessions.issueToken()}`,
    stop: () => stopServer(server, webSockets),
  };
}

interface Site extends WebServerOptions {
  readonly sessions: BrowserSessions;
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  setSecurityHeaders(response);
  const refusal = refuseForeign(request, site.port);
  if (refusal !== null) {
    sendFailure(response, refusal.status, 'not-authorised', refusal.message, refusal.hint);
    return;
  }
  const path = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
  if (path === '/api/session') return answerSession(site, request, response);
  if (path === httpPaths.openApi) {
    if (!mayRead(site, request)) return refuseStranger(response);
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(await site.httpApi.document());
    return;
  }
  if (path.startsWith(`${httpPaths.rpc}/`) || path.startsWith(`${httpPaths.rest}/`)) {
    // The cookie is not enough here: no page of another site can be made to send this header.
    if (!hasBearer(site, request)) return refuseStranger(response);
    if (await site.httpApi.handle(request, response)) return;
  }
  if (path === '/api' || path.startsWith('/api/')) {
    sendFailure(
      response,
      404,
      'not-found',
      `there is no ${path.slice(0, 200)}`,
      `${httpPaths.openApi} lists what there is.`,
    );
    return;
  }
  await serveStatic(request, response, site.uiFolder);
}

/** `POST {token}` signs in, `GET` says whether one is signed in, `DELETE` signs out. */
async function answerSession(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    sendJson(response, 200, { signedIn: site.sessions.isSignedIn(request.headers.cookie) });
    return;
  }
  if (request.method === 'DELETE') {
    response.setHeader('set-cookie', site.sessions.endingCookie());
    sendJson(response, 200, { signedIn: false });
    return;
  }
  if (request.method !== 'POST') {
    response.setHeader('allow', 'GET, POST, DELETE');
    sendFailure(response, 405, 'bad-input', 'a session is asked for with GET, POST or DELETE');
    return;
  }
  const cookie = site.sessions.exchange(tokenIn(await readBody(request, sessionRequestBytesMax)) ?? '');
  if (cookie === null) {
    const hint = 'Each address works once. Ask for a new one with: skein daemon open';
    sendFailure(
      response,
      401,
      'not-authorised',
      'this address was already used, is too old or belongs to another node',
      hint,
    );
    return;
  }
  response.setHeader('set-cookie', cookie);
  sendJson(response, 200, { signedIn: true });
}

function tokenIn(body: string | null): string | null {
  try {
    const parsed: unknown = JSON.parse(body ?? '');
    if (typeof parsed === 'object' && parsed !== null && 'token' in parsed && typeof parsed.token === 'string')
      return parsed.token;
  } catch {
    return null; // Not JSON: refused like any other wrong token.
  }
  return null;
}

/** The status line to refuse a WebSocket with, or null when it may come in. */
function refuseUpgrade(site: Site, request: IncomingMessage, open: number): string | null {
  if (refuseForeign(request, site.port) !== null) return '403 Forbidden';
  if ((request.url ?? '').split('?', 1)[0] !== '/api/ws') return '404 Not Found';
  // Browsers do not ask before they connect a WebSocket to another site, so a cookie counts only together with our Origin.
  const fromOwnPage = request.headers.origin !== undefined && site.sessions.isSignedIn(request.headers.cookie);
  if (!fromOwnPage && !hasBearer(site, request)) return '401 Unauthorized';
  return open >= socketsMax ? '503 Service Unavailable' : null;
}

function hasBearer(site: Site, request: IncomingMessage): boolean {
  const header = request.headers.authorization ?? '';
  return header.startsWith('Bearer ') && sameText(header.slice('Bearer '.length), site.apiToken);
}

const mayRead = (site: Site, request: IncomingMessage): boolean =>
  hasBearer(site, request) || site.sessions.isSignedIn(request.headers.cookie);

function refuseStranger(response: ServerResponse): void {
  const hint = 'Send the content of the file “api-token” in the home folder as “Authorization: Bearer …”.';
  sendFailure(response, 401, 'not-authorised', 'this needs the token of this node', hint);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(error, port)));
    server.listen({ host: loopback, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function listenFailure(error: NodeJS.ErrnoException, port: number): FailureError {
  if (error.code === 'EADDRINUSE') {
    return new FailureError({
      code: 'port-in-use',
      message: `port ${port} of ${loopback} is used by another program`,
      hint: 'Choose another with --web-port, or leave it out to get a free one.',
    });
  }
  if (error.code === 'EACCES') {
    return new FailureError({
      code: 'not-authorised',
      message: `this user may not listen on port ${port}`,
      hint: 'Choose a port above 1023 with --web-port.',
    });
  }
  return new FailureError(
    { code: 'internal', message: `cannot listen on ${loopback}:${port}: ${error.message}` },
    { cause: error },
  );
}
