import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { assert } from '../../shared/assert.ts';
import { fail, ok, type Result } from '../../shared/domain/failure.ts';
import { Malformed, Reader } from './reader.ts';

/** The wire types of the protobuf encoding that we use. */
export const wireTypes = { varint: 0, fixed64: 1, lengthDelimited: 2 } as const;
export type WireType = (typeof wireTypes)[keyof typeof wireTypes];

/**
 * One type on the wire, with its bounds. Writing a value out of bounds is our own mistake and asserts;
 * reading one is the world being itself and throws `Malformed`, which `decode` turns into a failure.
 */
export interface Codec<Value> {
  readonly wireType: WireType;
  /** As in a .proto file, with its bound behind it. */
  readonly proto: { readonly type: string; readonly bound: string };
  /** Message and union types that this one is made of, for `describe`. */
  readonly parts: readonly Codec<unknown>[];
  /** The body of a `message`, for `describe`. */
  readonly body: readonly string[] | null;
  write(writer: BinaryWriter, value: Value): void;
  read(reader: Reader): Value;
}

/** The type that a codec carries. */
export type Infer<Descriptor> = Descriptor extends Codec<infer Value> ? Value : never;

/** `true` where two types say the same, so that a table can be held against the type that it stands for. */
export type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;

const scalar = <Value>(
  wireType: WireType,
  proto: Codec<Value>['proto'],
  write: Codec<Value>['write'],
  read: Codec<Value>['read'],
): Codec<Value> => ({ wireType, proto, parts: [], body: null, write, read });

const uint32Max = 0xffff_ffff;

function writeUint53(writer: BinaryWriter, value: number, max: number): void {
  assert(Number.isInteger(value) && value >= 0 && value <= max, `a number between 0 and ${max}, not ${value}`);
  if (value <= uint32Max) writer.uint32(value);
  else writer.uint64(value);
}

/** A whole number from 0 to `max`, at most 2^53 - 1. Short when small. */
export const uint53 = <Value extends number = number>(max: number = Number.MAX_SAFE_INTEGER): Codec<Value> =>
  scalar(
    wireTypes.varint,
    { type: 'uint64', bound: max === Number.MAX_SAFE_INTEGER ? '≤ 2^53 - 1' : `≤ ${max}` },
    (writer, value) => writeUint53(writer, value, max),
    (reader) => {
      const value = reader.uint53();
      if (value > max) throw new Malformed('limit-reached', `a number is ${value}, more than ${max}`);
      return value as Value;
    },
  );

/** A finite number in eight bytes: instants, which never fit a short varint, and exit codes of either sign. */
export const double = <Value extends number = number>(): Codec<Value> =>
  scalar(
    wireTypes.fixed64,
    { type: 'double', bound: 'finite' },
    (writer, value) => {
      assert(Number.isFinite(value), `a finite number, not ${value}`);
      // Zero has two spellings and JSON knows one: replicas must agree on it.
      writer.double(value === 0 ? 0 : value);
    },
    (reader) => {
      if (reader.len - reader.pos < 8) throw new Malformed('malformed', 'a number is cut short');
      const value = reader.double();
      if (!Number.isFinite(value) || Object.is(value, -0)) throw new Malformed('malformed', 'a number is not finite');
      return value as Value;
    },
  );

export const bool: Codec<boolean> = scalar(
  wireTypes.varint,
  { type: 'bool', bound: '' },
  (writer, value) => {
    writer.bool(value);
  },
  (reader) => {
    const value = reader.uint53();
    if (value > 1) throw new Malformed('malformed', `a truth value is ${value}`);
    return value === 1;
  },
);

const utf8BytesPerUnitMax = 3;

/** Text of at most `charsMax` UTF-16 units, as strict UTF-8. What is not well formed is written with U+FFFD. */
export const text = <Value extends string = string>(charsMax: number): Codec<Value> =>
  scalar(
    wireTypes.lengthDelimited,
    { type: 'string', bound: `≤ ${charsMax} characters` },
    (writer, value) => {
      assert(value.length <= charsMax, `a text of at most ${charsMax} characters, not ${value.length}`);
      writer.string(value);
    },
    (reader) => {
      const value = reader.text(charsMax * utf8BytesPerUnitMax);
      if (value.length > charsMax) throw new Malformed('limit-reached', `a text is longer than ${charsMax}`);
      return value as Value;
    },
  );

/** Exactly `byteCount` bytes in memory as lower-case hex: hashes, at half the size of their text. */
export const hex = <Value extends string = string>(byteCount: number): Codec<Value> =>
  scalar(
    wireTypes.lengthDelimited,
    { type: 'bytes', bound: `${byteCount} bytes` },
    (writer, value) => {
      const bytes = new Uint8Array(byteCount);
      for (let at = 0; at < byteCount; at++) bytes[at] = Number.parseInt(value.slice(2 * at, 2 * at + 2), 16);
      assert(value.length === 2 * byteCount && toHex(bytes) === value, `${byteCount} bytes in lower-case hex`);
      writer.bytes(bytes);
    },
    (reader) => {
      const length = reader.lengthUpTo(byteCount, 'a hash');
      if (length !== byteCount) throw new Malformed('malformed', `a hash has ${length} bytes, not ${byteCount}`);
      return toHex(reader.take(length)) as Value;
    },
  );

const hexOfByte = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

function toHex(bytes: Uint8Array): string {
  let result = '';
  for (const byte of bytes) result += hexOfByte[byte] ?? '';
  return result;
}

/** A closed set of words, numbered from 1 in the order given: only ever append. */
export function word<const Word extends string>(...words: readonly Word[]): Codec<Word> {
  const numbers = new Map<string, number>(words.map((each, at) => [each, at + 1]));
  return scalar(
    wireTypes.varint,
    { type: 'uint32', bound: words.map((each, at) => `${at + 1} ${each}`).join(', ') },
    (writer, value) => {
      const number = numbers.get(value);
      assert(number !== undefined, `one of ${words.join(', ')}, not ${value}`);
      writer.uint32(number);
    },
    (reader) => {
      const number = reader.uint53();
      const value = words[number - 1];
      if (value !== undefined) return value;
      // Words are appended, so a higher number is one that a newer program knows.
      throw new Malformed(number === 0 ? 'malformed' : 'unsupported-version', `a word is none of ${words.join(', ')}`);
    },
  );
}

/** Writers that are free to use again: growing a new one for every message costs more than the message. */
const idleWriters: BinaryWriter[] = [];

/** A frame with a message in it, with the entries of that. */
const idleWritersMax = 3;

/** A writer whose buffer has grown beyond this is not kept. */
const keptWriterBytesMax = 1_024 * 1_024;

/** The bytes that `write` writes. May be used within itself. A writer that an assertion left half written is dropped. */
export function written(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = idleWriters.pop() ?? new BinaryWriter();
  write(writer);
  const bytes = writer.finish();
  if (bytes.length <= keptWriterBytesMax && idleWriters.length < idleWritersMax) idleWriters.push(writer);
  return bytes;
}

/** The bytes of one value. */
export const encode = <Value>(codec: Codec<Value>, value: Value): Uint8Array =>
  written((writer) => {
    codec.write(writer, value);
  });

/** Reads exactly one value from `bytes`. Never throws: hostile bytes are `malformed`, `limit-reached` or `unsupported-version`. */
export function decode<Value>(codec: Codec<Value>, bytes: Uint8Array): Result<Value> {
  return guarded(() => {
    const reader = new Reader(bytes);
    const value = codec.read(reader);
    if (reader.pos !== reader.len) throw new Malformed('malformed', `${reader.len - reader.pos} bytes follow the end`);
    return value;
  });
}

const hint = 'The sender may run another version of Skein, or the bytes were damaged.';

/** Runs a decode and turns whatever stops it into a failure. The library throws plain errors for bytes it cannot read. */
export function guarded<Value>(read: () => Value): Result<Value> {
  try {
    return ok(read());
  } catch (cause) {
    if (cause instanceof Malformed) return fail(cause.code, cause.message, hint);
    return fail('malformed', cause instanceof Error ? cause.message : String(cause), hint);
  }
}
