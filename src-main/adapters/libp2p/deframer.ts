/** Cuts a stream of bytes into frames of a 32-bit big-endian length and that many bytes. */
export class Deframer {
  readonly #bytesMax: number;
  readonly #onFrame: (frame: Uint8Array) => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #needed = 4;

  constructor(bytesMax: number, onFrame: (frame: Uint8Array) => void) {
    this.#bytesMax = bytesMax;
    this.#onFrame = onFrame;
  }

  /** Answers false once the other side broke the format; nothing after that can be trusted. */
  push(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Joining only when a whole frame is there keeps the cost of a large one linear.
    if (this.#bytes < this.#needed) return true;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    this.#needed = 4;
    while (bytes.length - at >= 4) {
      const length = view.getUint32(at);
      if (length === 0 || length > this.#bytesMax) return false;
      if (bytes.length - at < 4 + length) {
        this.#needed = 4 + length;
        break;
      }
      this.#onFrame(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#chunks = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#bytes = bytes.length - at;
    return true;
  }
}

/** The length that goes before a frame. */
export function frameHeader(length: number): Uint8Array {
  const header = Buffer.allocUnsafe(4);
  header.writeUInt32BE(length, 0);
  return header;
}
