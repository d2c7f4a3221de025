import { RPCHandler } from '@orpc/server/ws';
import type { WebSocket } from 'ws';
import { newCaller, type ApiContext, type SkeinRouter } from '../../api/router.ts';
import type { NodeLog } from './node-log.ts';

/** Largest message a caller may send: room for a submission of 100,000 lines of usual length. */
export const requestBytesMax = 32 * 1024 * 1024;

/** Serves the contract over connected WebSockets, whatever they run over. */
export interface RpcSockets {
  serve(socket: WebSocket): void;
}

export function createRpcSockets(router: SkeinRouter, log: NodeLog): RpcSockets {
  const handler = new RPCHandler<ApiContext>(router);
  return {
    serve(socket) {
      const caller = newCaller();
      socket.on('error', (error) => log.debug('a caller’s connection failed', { error: error.message }));
      const slowed = {
        addEventListener: socket.addEventListener.bind(socket),
        // The RPC layer waits for each frame it sends. Answering only when the frame has left this process keeps a slow
        // reader from piling up frames here.
        send: (data: string | ArrayBufferLike | Uint8Array): Promise<void> => sendAndFlush(socket, data),
      };
      handler
        .upgrade(slowed, { context: { caller } })
        .catch((error: unknown) => log.error('a connection could not be served', { error: String(error) }));
    },
  };
}

function sendAndFlush(socket: WebSocket, data: string | ArrayBufferLike | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // A failed send means that the caller is gone; the connection's close event ends what it had open.
    socket.send(data, () => resolve());
  });
}
