import { RPCHandler } from '@orpc/server/message-port';
import type { SupportedMessagePort } from '@orpc/client/message-port';
import { newCaller, type ApiContext, type SkeinRouter } from '../../api/router.ts';

/** Serves the contract over ports: one per window of the desktop app. A closed port ends what its window had open. */
export interface RpcPorts {
  serve(port: SupportedMessagePort): void;
}

export function createRpcPorts(router: SkeinRouter): RpcPorts {
  const handler = new RPCHandler<ApiContext>(router);
  return {
    serve(port) {
      handler.upgrade(port, { context: { caller: newCaller() } });
      // Ports of Node and of Electron hold back what arrives until they are started; those of extensions have no such method.
      if ('start' in port && typeof port.start === 'function') port.start();
    },
  };
}
