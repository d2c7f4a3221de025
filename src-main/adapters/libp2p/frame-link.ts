import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { frameBytesMax } from '../../core/machine/limits.ts';
import { Deframer, frameHeader } from './deframer.ts';
import { frameBatchBytes, frameQueueBytesMax } from './limits.ts';
import { saveWindowUpdates } from './window-updates.ts';

export interface FrameLinkEvents {
  readonly onFrame: (frame: Uint8Array) => void;
  /** Once, however the stream ends. */
  readonly onClosed: () => void;
}

/** One stream of frames with one peer: joins what one tick sends, waits when the peer is slow, drops when it stays slow. */
export class FrameLink {
  readonly peer: NodeId;
  readonly #stream: Stream;
  readonly #events: FrameLinkEvents;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #flushing = false;
  #closed = false;

  constructor(peer: NodeId, stream: Stream, events: FrameLinkEvents) {
    this.peer = peer;
    this.#stream = stream;
    this.#events = events;
    saveWindowUpdates(stream);
    const deframer = new Deframer(frameBytesMax, events.onFrame);
    stream.addEventListener('message', (event: StreamMessageEvent) => {
      if (this.#closed) return;
      if (!deframer.push(event.data.subarray())) this.close('broken frame');
    });
    stream.addEventListener('drain', () => {
      this.#schedule();
    });
    // A killed peer's stream closes without any error; half of this stream is of no use to anybody either.
    stream.addEventListener('close', () => {
      this.close('closed');
    });
    stream.addEventListener('remoteCloseWrite', () => {
      this.close('closed by the peer');
    });
  }

  /** False when the frame was dropped because the peer is too slow. */
  send(frame: Uint8Array): boolean {
    if (this.#closed || this.#queuedBytes + frame.length + 4 > frameQueueBytesMax) return false;
    this.#queue.push(frameHeader(frame.length), frame);
    this.#queuedBytes += frame.length + 4;
    this.#schedule();
    return true;
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#stream.abort(new Error(reason));
    this.#events.onClosed();
  }

  #schedule(): void {
    if (this.#flushing || this.#closed) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    try {
      while (!this.#closed && this.#queue.length > 0 && !this.#stream.writableNeedsDrain)
        this.#stream.send(this.#nextBatch());
    } catch (cause) {
      this.close(cause instanceof Error ? cause.message : String(cause));
    }
  }

  #nextBatch(): Uint8Array {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes < frameBatchBytes)) {
      bytes += this.#queue[count]?.length ?? 0;
      count += 1;
    }
    const batch = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    this.#queuedBytes -= bytes;
    return Buffer.concat(batch, bytes);
  }
}
