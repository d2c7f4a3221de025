import { fail, FailureError } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { ByteStream, ByteStreams } from '../../../src-main/ports/streams.ts';

/** One direction of a stream in memory; its chunks are cut to `pieceBytes` so that readers meet every boundary. */
class Pipe {
  readonly #pieceBytes: number;
  #pieces: Uint8Array[] = [];
  #ended = false;
  #broken: string | null = null;
  #wake: (() => void) | null = null;

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#broken !== null) return Promise.reject(new FailureError(fail('peer-unreachable', this.#broken).failure));
    for (let offset = 0; offset < bytes.length; offset += this.#pieceBytes) {
      this.#pieces.push(Uint8Array.from(bytes.subarray(offset, offset + this.#pieceBytes)));
    }
    this.#wake?.();
    return Promise.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  break(reason: string): void {
    this.#broken ??= reason;
    this.#wake?.();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) yield piece;
      else if (this.#broken !== null) throw new FailureError(fail('peer-unreachable', this.#broken).failure);
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Two ends of one stream. */
export function streamPair(left: NodeId, right: NodeId, pieceBytes = 7): { atLeft: ByteStream; atRight: ByteStream } {
  const there = new Pipe(pieceBytes);
  const back = new Pipe(pieceBytes);
  const side = (peer: NodeId, out: Pipe, into: Pipe): ByteStream => ({
    peer,
    write: (bytes) => out.write(bytes),
    chunks: into.chunks(),
    closeWrite: async () => out.end(),
    abort: (reason) => {
      out.break(reason);
      into.break(reason);
    },
  });
  return { atLeft: side(right, there, back), atRight: side(left, back, there) };
}

/** Machines that reach each other at once; a machine without handlers, or one that is cut off, is unreachable. */
export class StreamSwitch {
  readonly #handlers = new Map<string, (stream: ByteStream) => Promise<void>>();
  readonly cut = new Set<NodeId>();

  of(self: NodeId): ByteStreams {
    return {
      open: async (to, service) => {
        const handler = this.cut.has(to) ? undefined : this.#handlers.get(`${to} ${service}`);
        if (handler === undefined) throw new FailureError(fail('peer-unreachable', `${to} does not answer`).failure);
        const { atLeft, atRight } = streamPair(self, to, 1_000);
        handler(atRight).catch((error: unknown) => atRight.abort(String(error)));
        return atLeft;
      },
      handle: (service, handler) => {
        this.#handlers.set(`${self} ${service}`, handler);
      },
    };
  }
}
