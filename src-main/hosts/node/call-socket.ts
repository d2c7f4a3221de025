import type { WebSocket } from 'ws';
import { CallLineServer } from '../../api/call-line.ts';
import type { Callable } from '../../api/call-table.ts';
import type { NodeLog } from './node-log.ts';

/** Serves lean lines over connected WebSockets (see `shared/contract/call-frames.ts`). */
export interface CallSockets {
  serve(socket: WebSocket): void;
}

/** Status 1007 of RFC 6455: the message does not fit its type. */
const malformedMessage = 1007;

export function createCallSockets(table: ReadonlyMap<string, Callable>, log: NodeLog): CallSockets {
  return {
    serve(socket) {
      const line = new CallLineServer({ table, log, send: (message) => sendAndFlush(socket, message) });
      socket.on('error', (error) => log.debug('a caller’s line failed', { error: error.message }));
      socket.on('close', () => line.close());
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary || !line.receive(data.toString('utf8'))) socket.close(malformedMessage, 'not a list of calls');
      });
    },
  };
}

function sendAndFlush(socket: WebSocket, message: string): Promise<void> {
  // A failed send means that the caller is gone; the close event ends what it had open.
  return new Promise((resolve) => socket.send(message, () => resolve()));
}
