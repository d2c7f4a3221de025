import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, type createConnection } from 'node:net';
import { join } from 'node:path';
import { RPCLink } from '@orpc/client/websocket';
import { WebSocket } from 'ws';
import { createSkeinClient, failureOf, type SkeinClient } from '../../../shared/contract/client.ts';
import { contractVersion } from '../../../shared/contract/contract.ts';
import { FailureError, type Failure } from '../../../shared/domain/failure.ts';
import { controlAddress, homeFiles } from '../home-folder.ts';

const connectWithinMs = 5_000;
const controlAnswerBytesMax = 65_536;

/** An open line to the node of a home. Everything open on it ends when it closes. */
export interface NodeConnection {
  readonly client: SkeinClient;
  /** Resolves when the line is gone, whoever closed it. */
  readonly closed: Promise<void>;
  /** What went wrong with a call, also when the line broke under it. */
  failureOf(error: unknown): Failure;
  close(): void;
}

/** Opens a line to the node that runs on `home`. Throws `not-running` when none answers, `unsupported-version` when it is too different. */
export async function connectToNode(home: string): Promise<NodeConnection> {
  const path = controlPath(home);
  const dial = (() => connect({ path })) as typeof createConnection;
  const socket = new WebSocket('ws://localhost/api/ws', {
    createConnection: dial,
    handshakeTimeout: connectWithinMs,
    perMessageDeflate: false,
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let open = true;
  let spokenVersion = contractVersion;
  socket.on('upgrade', (response) => {
    spokenVersion = Number(response.headers['x-skein-contract'] ?? contractVersion);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', (error) => reject(notRunning(home, error)));
  });
  socket.on('error', () => socket.terminate());
  void closed.then(() => {
    open = false;
  });
  if (spokenVersion !== contractVersion) {
    socket.terminate();
    throw new FailureError({
      code: 'unsupported-version',
      message: `the node speaks version ${spokenVersion} of the contract, this command line version ${contractVersion}`,
      hint: 'Bring both to the same release, then restart the node: skein daemon stop, skein daemon start',
    });
  }
  return {
    client: createSkeinClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket })),
    closed,
    failureOf(error) {
      const failure = failureOf(error);
      if (failure.code !== 'not-running' || open) return failure;
      return {
        code: 'not-running',
        message: 'the node stopped while it was asked',
        hint: 'See what happened: skein daemon status; start it again: skein daemon start',
      };
    },
    close: () => socket.close(),
  };
}

/** One question to the process itself, beside the contract: `GET /control/status` and the like. */
export function askControl(
  home: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { socketPath: controlPath(home), method, path, timeout: connectWithinMs, headers: { host: 'localhost' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
          if (text.length > controlAnswerBytesMax) request.destroy(new Error('the answer is too long'));
        });
        response.on('end', () => {
          try {
            resolve(JSON.parse(text) as Record<string, unknown>);
          } catch (error) {
            reject(notRunning(home, error));
          }
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${connectWithinMs} ms`)));
    request.on('error', (error) => reject(notRunning(home, error)));
    request.end();
  });
}

/** Where the node of this home says it listens; while it says nothing, where it would. */
function controlPath(home: string): string {
  try {
    const record: unknown = JSON.parse(readFileSync(join(home, homeFiles.control), 'utf8'));
    if (typeof record === 'object' && record !== null && 'path' in record && typeof record.path === 'string')
      return record.path;
  } catch {
    return controlAddress(home).path; // No record: no node, or one that was killed.
  }
  return controlAddress(home).path;
}

function notRunning(home: string, error: unknown): FailureError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return new FailureError({
      code: 'not-authorised',
      message: `the node of ${home} belongs to another user`,
      hint: 'Use your own home folder (--home or SKEIN_HOME).',
    });
  }
  const detail = code === 'ENOENT' || code === 'ECONNREFUSED' || code === undefined ? '' : ` (${message})`;
  return new FailureError(
    { code: 'not-running', message: `no node runs on ${home}${detail}`, hint: 'Start it with: skein daemon start' },
    { cause: error },
  );
}
