import { BinaryReader } from '@bufbuild/protobuf/wire';

/** What stops a decode. Never leaves this room: `decode` turns it into a failure. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
  readonly code: 'malformed' | 'limit-reached' | 'unsupported-version';

  constructor(code: 'malformed' | 'limit-reached' | 'unsupported-version', message: string) {
    super(message);
    this.code = code;
  }
}

/** Above this the platform's decoder is faster. */
const asciiBytesMax = 96;

/** The text of these bytes, or null when they are not all ASCII. */
function asciiAt(bytes: Uint8Array, start: number, length: number): string | null {
  const codes = new Array<number>(length);
  for (let at = 0; at < length; at++) {
    const byte = bytes[start + at] ?? 0xff;
    if (byte > 0x7f) return null;
    codes[at] = byte;
  }
  return String.fromCharCode.apply(null, codes);
}

const bytesPerGroup = 7;
const safeHighGroups = 7;

/** The library's reader, with whole numbers up to 2^53 - 1 read without a detour through BigInt. */
export class Reader extends BinaryReader {
  readonly #bytes: Uint8Array;
  /** Whether lists may be written again as they were read; keeps `bytes` for as long as such a list. */
  readonly remembers: boolean;

  constructor(bytes: Uint8Array, remembers = false) {
    super(bytes);
    this.#bytes = bytes;
    this.remembers = remembers;
  }

  /** The next byte without taking it, or -1 at the end. */
  peek(): number {
    return this.#bytes[this.pos] ?? -1;
  }

  /** A varint, refused when it is above 2^53 - 1 or longer than its value needs: one value, one spelling. */
  uint53(): number {
    let value = 0;
    let scale = 1;
    for (let group = 0; group <= safeHighGroups; group++) {
      const byte = this.#bytes[this.pos++];
      if (byte === undefined) throw new Malformed('malformed', 'a number is cut short');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && group > 0) throw new Malformed('malformed', 'a number is padded');
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 1 << bytesPerGroup;
    }
    throw new Malformed('limit-reached', 'a number is above 2^53 - 1');
  }

  /** The length of what follows, checked against what is left before anything is taken or allocated. */
  lengthUpTo(max: number, what: string): number {
    const length = this.uint53();
    if (length > max) throw new Malformed('limit-reached', `${what} has ${length} bytes, more than ${max}`);
    if (length > this.len - this.pos) throw new Malformed('malformed', `${what} is cut short`);
    return length;
  }

  /** Length and text in strict UTF-8. Identifiers and most else is ASCII, which needs no decoder. */
  text(bytesMax: number): string {
    const start = this.pos;
    const length = this.lengthUpTo(bytesMax, 'a text');
    const ascii = length <= asciiBytesMax ? asciiAt(this.#bytes, this.pos, length) : null;
    if (ascii === null) {
      this.pos = start;
      return this.string(true);
    }
    this.pos += length;
    return ascii;
  }

  /** A copy-free view of bytes that were read. */
  between(start: number, past: number): Uint8Array {
    return this.#bytes.subarray(start, past);
  }

  /** A copy-free view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.pos;
    this.pos += length;
    return this.#bytes.subarray(start, this.pos);
  }
}
