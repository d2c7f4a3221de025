import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { callLinePath } from '../../../shared/contract/call-frames.ts';
import { contractVersion } from '../../../shared/contract/contract.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import { controlAddress, homeFiles, type ControlAddress } from '../home-folder.ts';
import type { CallSockets } from './call-socket.ts';
import { writeWhole } from './home-secrets.ts';
import type { HttpApi } from './http-api.ts';
import type { NodeLog } from './node-log.ts';
import { requestBytesMax, type RpcSockets } from './rpc-socket.ts';
import { stopServer } from './stop-server.ts';
import { sendFailure, sendJson } from './web-guard.ts';

const connectionsMax = 256;
const answerWithinMs = 1_000;

export interface ControlSocketOptions {
  readonly home: string;
  readonly httpApi: HttpApi;
  readonly rpcSockets: RpcSockets;
  readonly callSockets: CallSockets;
  /** Where the web server is, without a token. */
  readonly webOrigin: string;
  /** A new address that signs in one browser. */
  readonly newAddress: () => string;
  /** Asks this process to end. */
  readonly requestStop: () => void;
  readonly log: NodeLog;
}

export interface ControlSocket {
  readonly path: string;
  stop(): Promise<void>;
}

/**
 * Serves the contract, and starting and stopping of this process, on a socket that only this user can open: who may
 * read the home folder may drive its node, and needs no token.
 */
export async function startControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const address = controlAddress(options.home);
  await prepareFolder(address);
  await removeDeadSocket(address.path, options.home);

  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000 });
  server.maxConnections = connectionsMax;
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: requestBytesMax, perMessageDeflate: false });
  webSockets.on('headers', (headers) => headers.push(`x-skein-contract: ${contractVersion}`));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(options, request, response).catch((error: unknown) => {
      options.log.debug('a control request failed', { error: String(error) });
      sendFailure(response, 500, 'internal', 'the request could not be answered');
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const served = request.url === callLinePath ? options.callSockets : options.rpcSockets;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => served.serve(webSocket));
  });

  await listen(server, address.path);
  if (process.platform !== 'win32') await chmod(address.path, 0o600);
  const recordPath = join(options.home, homeFiles.control);
  await writeWhole(
    recordPath,
    `${JSON.stringify({ v: 1, path: address.path, pid: process.pid, web: options.webOrigin })}\n`,
  );
  return {
    path: address.path,
    async stop() {
      await rm(recordPath, { force: true });
      await stopServer(server, webSockets);
    },
  };
}

/** True when a node answers at the control socket of this home. */
export function isNodeAnswering(home: string): Promise<boolean> {
  return isListening(controlAddress(home).path);
}

async function answer(
  options: ControlSocketOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = `${request.method ?? ''} ${(request.url ?? '').split('?', 1)[0] ?? ''}`;
  if (asked === 'GET /control/status') {
    sendJson(response, 200, {
      v: 1,
      pid: process.pid,
      home: options.home,
      web: options.webOrigin,
      contract: contractVersion,
    });
  } else if (asked === 'POST /control/ui-address') {
    sendJson(response, 200, { v: 1, address: options.newAddress() });
  } else if (asked === 'POST /control/stop') {
    sendJson(response, 202, { v: 1, stopping: true });
    options.requestStop();
  } else if (!(await options.httpApi.handle(request, response))) {
    sendFailure(response, 404, 'not-found', `there is no ${asked.slice(0, 200)}`);
  }
}

/** The folder for a socket outside the home must be ours alone: anybody may make folders among temporary files. */
async function prepareFolder(address: ControlAddress): Promise<void> {
  if (address.folder === null) return;
  await mkdir(address.folder, { mode: 0o700, recursive: true });
  const info = await lstat(address.folder);
  const uid = process.getuid?.();
  if (!info.isDirectory() || (uid !== undefined && (info.uid !== uid || (info.mode & 0o077) !== 0))) {
    throw new FailureError({
      code: 'not-authorised',
      message: `${address.folder} is not a private folder of this user, so the control socket cannot be put there`,
      hint: 'Remove that folder, or choose a home with a shorter path (--home).',
    });
  }
}

async function removeDeadSocket(path: string, home: string): Promise<void> {
  if (process.platform === 'win32') return; // A pipe goes with its process.
  if (await isListening(path)) {
    throw new FailureError({
      code: 'already-exists',
      message: `another node answers at ${path}`,
      hint: `Use that one, or stop it with: skein daemon stop --home ${home}`,
    });
  }
  await rm(path, { force: true });
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    const settle = (listening: boolean): void => {
      clearTimeout(timer);
      probe.destroy();
      resolve(listening);
    };
    // Somebody who accepts but does not speak is still somebody.
    const timer = setTimeout(() => settle(true), answerWithinMs);
    probe.once('connect', () => settle(true));
    probe.once('error', () => settle(false));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new FailureError(
          {
            code: error.code === 'EADDRINUSE' ? 'already-exists' : 'disk-failed',
            message: `cannot open the control socket ${path}: ${error.code ?? error.message}`,
            hint: 'Check that the folder is writable and on a file system that can hold sockets, or choose another --home.',
          },
          { cause: error },
        ),
      );
    });
    server.listen(path, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}
