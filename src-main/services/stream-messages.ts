import { fail, FailureError } from '../../shared/domain/failure.ts';
import type { ByteStream } from '../ports/streams.ts';

/** Bytes in one write to a stream: larger ones hold up everything else on the connection. */
export const chunkBytesMax = 64 * 1_024;

/** Longer than any answer may be made to wait for, such as output that is yet to come. */
const silenceMs = 60_000;

/** Writes one JSON document, preceded by its length in four bytes, most significant first. */
export async function writeMessage(stream: ByteStream, message: unknown): Promise<void> {
  const text = Buffer.from(JSON.stringify(message), 'utf8');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(text.length);
  const frame = Buffer.concat([head, text]);
  for (let offset = 0; offset < frame.length; offset += chunkBytesMax) {
    await stream.write(frame.subarray(offset, offset + chunkBytesMax));
  }
}

/** Reads the length-prefixed documents and the raw bytes of a stream in turn. The other side is not trusted: every length is bounded. */
export class StreamReader {
  readonly #stream: ByteStream;
  readonly #iterator: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#iterator = stream.chunks[Symbol.asyncIterator]();
  }

  /** The next document; null when the other side has ended. Throws a FailureError `malformed` on anything else. */
  async message(bytesMax: number): Promise<unknown> {
    const head = await this.#take(4, true);
    if (head === null) return null;
    const length = Buffer.from(head.buffer, head.byteOffset, 4).readUInt32BE();
    if (length > bytesMax) throw malformed(`a message of ${length} bytes, more than the ${bytesMax} allowed`);
    const body = await this.#take(length, false);
    try {
      return JSON.parse(Buffer.from(body ?? []).toString('utf8'));
    } catch (error) {
      throw new FailureError(fail('malformed', 'the other machine sent a message that is not JSON').failure, {
        cause: error,
      });
    }
  }

  /** Exactly `count` raw bytes, as they come. Throws `malformed` when the stream ends before. */
  async *bytes(count: number): AsyncGenerator<Uint8Array> {
    let left = count;
    while (left > 0) {
      if (this.#held.length === 0 && !(await this.#more()))
        throw malformed(`the end of the stream, ${left} bytes too early`);
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async #take(count: number, mayEnd: boolean): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let have = 0;
    while (have < count) {
      if (this.#held.length === 0 && !(await this.#more())) {
        if (mayEnd && have === 0) return null;
        throw malformed('the end of the stream within a message');
      }
      const part = this.#held.subarray(0, count - have);
      this.#held = this.#held.subarray(part.length);
      parts.push(part);
      have += part.length;
    }
    return Buffer.concat(parts);
  }

  /** A machine that loses its power says nothing: silence itself must end the wait. */
  async #nextChunk(): Promise<IteratorResult<Uint8Array>> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#stream.abort('the other machine went silent');
        reject(new FailureError(fail('timed-out', `The other machine said nothing for ${silenceMs} ms.`).failure));
      }, silenceMs);
    });
    try {
      return await Promise.race([this.#iterator.next(), silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #more(): Promise<boolean> {
    const next = await this.#nextChunk();
    if (next.done === true) return false;
    this.#held = next.value;
    return true;
  }
}

/** Whether a thing read from another machine is a record whose fields may be looked at. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const malformed = (what: string): FailureError =>
  new FailureError(
    fail('malformed', `the other machine sent ${what}`, 'Check that both machines run the same version of Skein.')
      .failure,
  );

/** Breaks the stream as soon as `signal` aborts; returns how to stop that. */
export function breakOnAbort(stream: ByteStream, signal: AbortSignal): () => void {
  const stop = (): void => stream.abort('no longer wanted');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return () => signal.removeEventListener('abort', stop);
}
