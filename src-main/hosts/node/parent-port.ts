import type { SupportedMessagePort } from '@orpc/client/message-port';
import type { RpcPorts } from './message-port.ts';

/** What the desktop app's main process and this process say to each other, besides handing over ports. */
export type ParentMessage =
  | { readonly type: 'rpc-port' }
  | { readonly type: 'stop' }
  /** `suspend` comes just before the machine sleeps, `resume` once it is awake; other notes are only noted. */
  | { readonly type: 'power'; readonly power: string };
export type NodeReport =
  | { readonly type: 'ready'; readonly address: string; readonly home: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly hint: string };

/** The end of the channel to Electron's main process; Electron puts it on `process` of a utility process. */
interface ParentPort {
  on(
    event: 'message',
    listener: (event: { readonly data: unknown; readonly ports: readonly SupportedMessagePort[] }) => void,
  ): unknown;
  postMessage(message: NodeReport): void;
}

/** The channel to the desktop app; null when this process was not started by it. */
export function parentPort(): ParentPort | null {
  const port = (process as unknown as { readonly parentPort?: ParentPort | null }).parentPort;
  return port ?? null;
}

/** What the desktop app's word leads to. */
export interface ParentOrders {
  readonly stop: () => void;
  readonly sleep: (aboutToSleep: boolean) => void;
}

/** Serves every port that the desktop app hands over, and follows its word. */
export function followParent(port: ParentPort, rpcPorts: RpcPorts, orders: ParentOrders): void {
  port.on('message', ({ data, ports }) => {
    if (typeof data !== 'object' || data === null || !('type' in data)) return;
    if (data.type === 'stop') orders.stop();
    if (data.type === 'power' && 'power' in data) {
      if (data.power === 'suspend') orders.sleep(true);
      if (data.power === 'resume') orders.sleep(false);
    }
    if (data.type === 'rpc-port') for (const rpcPort of ports) rpcPorts.serve(rpcPort);
  });
}
