import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import { FailureError } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { ByteStream } from '../../ports/streams.ts';
import { drained } from './drained.ts';
import { chunkBytesMax, readBufferBytesLow, readBufferBytesMax, writeStallMs } from './limits.ts';

/** A byte stream over one libp2p stream. Reads pause the peer through the stream's window; writes wait for drain. */
export class Libp2pByteStream implements ByteStream {
  readonly peer: NodeId;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly #stream: Stream;
  readonly #buffered: Uint8Array[] = [];
  #bufferedBytes = 0;
  #ended = false;
  #broken: string | null = null;
  #writeClosed = false;
  #wake: () => void = () => undefined;

  constructor(peer: NodeId, stream: Stream) {
    this.peer = peer;
    this.#stream = stream;
    this.chunks = this.#read();
    stream.addEventListener('message', (event: StreamMessageEvent) => {
      this.#buffer(event.data.subarray());
    });
    // Only this event says that the peer finished: a killed peer's stream closes without it and without an error.
    stream.addEventListener('remoteCloseWrite', () => {
      this.#ended = true;
      this.#wake();
    });
    stream.addEventListener('close', (event) => {
      if (!this.#ended || event.error !== undefined) this.#broken ??= event.error?.message ?? 'the connection closed';
      this.#wake();
    });
    if (stream.remoteWriteStatus === 'closed' && stream.status === 'open') this.#ended = true;
  }

  get closed(): boolean {
    return this.#broken !== null || (this.#ended && this.#writeClosed);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += chunkBytesMax) {
      try {
        if (this.#stream.writableNeedsDrain) await drained(this.#stream, writeStallMs);
        this.#stream.send(bytes.subarray(at, at + chunkBytesMax));
      } catch (cause) {
        throw this.#failure(cause);
      }
    }
    if (!this.#stream.writableNeedsDrain) return;
    try {
      await drained(this.#stream, writeStallMs);
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  async closeWrite(): Promise<void> {
    if (this.#writeClosed) return;
    this.#writeClosed = true;
    try {
      await drained(this.#stream, writeStallMs);
      await this.#stream.close({ signal: AbortSignal.timeout(writeStallMs) });
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  abort(reason: string): void {
    this.#broken ??= reason;
    this.#stream.abort(new Error(reason));
    this.#wake();
  }

  #buffer(chunk: Uint8Array): void {
    this.#buffered.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes > readBufferBytesMax && this.#stream.readStatus === 'readable') this.#stream.pause();
    this.#wake();
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const chunk = this.#buffered.shift();
      if (chunk !== undefined) {
        this.#bufferedBytes -= chunk.length;
        if (this.#bufferedBytes < readBufferBytesLow && this.#stream.readStatus === 'paused') this.#stream.resume();
        for (let at = 0; at < chunk.length; at += chunkBytesMax) yield chunk.subarray(at, at + chunkBytesMax);
        continue;
      }
      // Bytes may still sit in the paused library buffer although the end was already announced.
      if (this.#stream.readStatus === 'paused') {
        this.#stream.resume();
        continue;
      }
      if (this.#broken !== null) throw this.#failure(new Error(this.#broken));
      if (this.#ended && this.#stream.readBufferLength === 0) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #failure(cause: unknown): FailureError {
    const reason = this.#broken ?? (cause instanceof Error ? cause.message : String(cause));
    this.abort(reason);
    return new FailureError(
      {
        code: 'peer-unreachable',
        message: `The stream with ${this.peer} broke: ${reason}.`,
        hint: 'Try again once the machine is reachable.',
      },
      { cause },
    );
  }
}
