import type { Connection } from '@libp2p/interface';
import type { Logger } from '../../ports/logger.ts';
import { livenessEveryMs, livenessTimeoutMs } from './limits.ts';

/** The part of the node that is needed here. */
export interface Pinging {
  getConnections(): readonly Pick<Connection, 'remotePeer' | 'status' | 'abort'>[];
  readonly services: {
    readonly ping: { ping(peer: Connection['remotePeer'], options: { signal: AbortSignal }): Promise<number> };
  };
}

interface Looks {
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** Whether the peer of this id sent anything within so many milliseconds: then it need not be asked. */
  readonly hasHeard: (peer: string, ms: number) => boolean;
}

/**
 * Ends connections whose other end answers no ping, so that a new one can be dialled; a cut link closes nothing by
 * itself. Where frames come in nobody is asked: a ping opens a stream, which costs more than a second of heartbeats. A
 * link cut one way is found by the end that hears nothing. In place of libp2p's own monitor, which adapts its patience by the wall clock: when that clock is set back by
 * an hour, its average becomes "not a number" and stays so, and from then on it ends every connection at every look.
 * Answers what stops it.
 */
export function endDeadConnections(
  node: Pinging,
  logger: Logger,
  { everyMs = livenessEveryMs, timeoutMs = livenessTimeoutMs, hasHeard = () => false }: Partial<Looks> = {},
): () => void {
  const stopping = new AbortController();
  const asked = new Set<string>();
  const ask = async (connection: ReturnType<Pinging['getConnections']>[number]): Promise<void> => {
    const peer = connection.remotePeer.toString();
    // A slow answer is waited for once, not once for every look.
    if (connection.status !== 'open' || asked.has(peer) || hasHeard(peer, everyMs)) return;
    asked.add(peer);
    const patience = new AbortController();
    const overdue = setTimeout(() => patience.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    try {
      const signal = AbortSignal.any([stopping.signal, patience.signal]);
      await node.services.ping.ping(connection.remotePeer, { signal });
    } catch (cause) {
      // Any answer shows life, a refusal too: pings at once are limited. A connection that broke ends by itself.
      if (stopping.signal.aborted || !patience.signal.aborted) return;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      logger.info('connection ended: no answer', { peer, timeoutMs });
      connection.abort(error);
    } finally {
      clearTimeout(overdue);
      asked.delete(peer);
    }
  };
  const timer = setInterval(() => {
    for (const connection of node.getConnections()) void ask(connection);
  }, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    stopping.abort();
  };
}
