import type { Connection, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { assert } from '../../../shared/assert.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ByteStream, ByteStreams } from '../../ports/streams.ts';
import { Libp2pByteStream } from './byte-stream.ts';
import type { SkeinNode } from './create-node.ts';
import { exchangesPerPeerMax, headerTimeoutMs, openTimeoutMs, serviceNameBytesMax } from './limits.ts';

const protocol = '/skein/bytes/1';
type ServiceHandler = (stream: ByteStream) => Promise<void>;

/** Exchanges over one protocol; a stream begins with one length byte and the name of the service it is for. */
export class Libp2pByteStreams implements ByteStreams {
  readonly #logger: Logger;
  readonly #handlers = new Map<string, ServiceHandler>();
  #node: SkeinNode | null = null;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  handle(service: string, handler: ServiceHandler): void {
    assert(isServiceName(service), `a service name has 1 to ${String(serviceNameBytesMax)} plain characters`);
    this.#handlers.set(service, handler);
  }

  async open(
    to: NodeId,
    service: string,
    options: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<ByteStream> {
    assert(isServiceName(service), `a service name has 1 to ${String(serviceNameBytesMax)} plain characters`);
    const timeout = AbortSignal.timeout(options.timeoutMs ?? openTimeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    try {
      const connection = this.#node?.getConnections(peerIdFromString(to)).find(({ status }) => status === 'open');
      if (connection === undefined) throw new Error('there is no connection');
      const stream = await connection.newStream(protocol, { signal, maxOutboundStreams: exchangesPerPeerMax });
      const bytes = new Libp2pByteStream(to, stream);
      // The stream's own signal ends with the opening; a later abort by the caller must still end the stream.
      options.signal?.addEventListener(
        'abort',
        () => {
          if (!bytes.closed) bytes.abort('cancelled');
        },
        { once: true },
      );
      const name = Buffer.from(service);
      await bytes.write(Buffer.concat([Uint8Array.of(name.length), name]));
      return bytes;
    } catch (cause) {
      throw openFailure(to, service, { timedOut: timeout.aborted, cancelled: options.signal?.aborted === true, cause });
    }
  }

  async attach(node: SkeinNode): Promise<void> {
    this.#node = node;
    await node.handle(
      protocol,
      (stream, connection) => {
        void this.#serve(stream, connection).catch((cause: unknown) => {
          this.#logger.debug('an exchange ended early', { cause: String(cause) });
          stream.abort(new Error('the exchange failed'));
        });
      },
      { maxInboundStreams: exchangesPerPeerMax, maxOutboundStreams: exchangesPerPeerMax },
    );
  }

  detach(): void {
    this.#node = null;
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const bytes = new Libp2pByteStream(nodeId(connection.remotePeer.toString()), stream);
    const timer = setTimeout(() => {
      bytes.abort('no service was named in time');
    }, headerTimeoutMs);
    const named = await readHeader(bytes).finally(() => {
      clearTimeout(timer);
    });
    const handler = named === null ? undefined : this.#handlers.get(named.service);
    if (named === null || handler === undefined) {
      bytes.abort('no such service');
      return;
    }
    await handler(named.rest);
    await bytes.closeWrite();
  }
}

/** Reads the name and gives back the stream without it. */
async function readHeader(stream: Libp2pByteStream): Promise<{ service: string; rest: ByteStream } | null> {
  const iterator = stream.chunks[Symbol.asyncIterator]();
  let bytes = Buffer.alloc(0);
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return null;
    bytes = Buffer.concat([bytes, next.value]);
    const length = bytes[0] ?? 0;
    if (length === 0 || length > serviceNameBytesMax) return null;
    if (bytes.length <= length) continue;
    const service = bytes.toString('latin1', 1, length + 1);
    return { service, rest: withChunks(stream, restOf(bytes.subarray(length + 1), iterator)) };
  }
}

async function* restOf(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  if (first.length > 0) yield first;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}

const withChunks = (stream: Libp2pByteStream, chunks: AsyncIterable<Uint8Array>): ByteStream => ({
  peer: stream.peer,
  chunks,
  write: (bytes) => stream.write(bytes),
  closeWrite: () => stream.closeWrite(),
  abort: (reason) => {
    stream.abort(reason);
  },
});

const isServiceName = (service: string): boolean => /^[!-~]{1,64}$/.test(service);

function openFailure(
  to: NodeId,
  service: string,
  how: { readonly timedOut: boolean; readonly cancelled: boolean; readonly cause: unknown },
): FailureError {
  const { cause } = how;
  if (how.cancelled)
    return new FailureError({ code: 'cancelled', message: `Opening ${service} with ${to} was cancelled.` }, { cause });
  if (how.timedOut)
    return new FailureError(
      { code: 'timed-out', message: `${to} did not answer for ${service} in time.`, hint: 'Try again.' },
      { cause },
    );
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FailureError(
    {
      code: 'peer-unreachable',
      message: `${to} cannot be reached for ${service}: ${reason}.`,
      hint: 'Check that the machine is on and in the network.',
    },
    { cause },
  );
}
