import type { NodeId } from '../../shared/domain/ids.ts';

/** A two-way stream of bytes with backpressure both ways. */
export interface ByteStream {
  readonly peer: NodeId;
  /** Resolves when more may be written; rejects with a FailureError once the stream is broken. */
  write(bytes: Uint8Array): Promise<void>;
  /** Chunks in order; ends when the other side has closed its writing half; throws a FailureError when broken. */
  readonly chunks: AsyncIterable<Uint8Array>;
  closeWrite(): Promise<void>;
  abort(reason: string): void;
}

/** Requests and bulk bytes between members: one stream per exchange, named by what it is for. */
export interface ByteStreams {
  /** Rejects with `peer-unreachable` or `timed-out`. */
  open(to: NodeId, service: string, options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<ByteStream>;
  handle(service: string, handler: (stream: ByteStream) => Promise<void>): void;
}
