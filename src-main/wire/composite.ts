import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { assert } from '../../shared/assert.ts';
import { wireTypes, written, type Codec, type WireType } from './codec.ts';
import { Malformed, type Reader } from './reader.ts';

type Presence = 'required' | 'nullable' | 'optional' | 'list' | 'record';

/** A field of a message: its number never changes and is never used again. */
export interface Field<Value, Optional extends boolean = boolean> {
  readonly number: number;
  readonly codec: Codec<unknown>;
  readonly presence: Presence;
  readonly countMax: number;
  /** Whether the bytes of a list are kept with its array. */
  readonly remembered: boolean;
  /** Types only: what the field carries. */
  readonly carries?: Value;
  readonly isOptional: Optional;
}

const field = <Value, Optional extends boolean>(
  number: number,
  codec: Codec<unknown>,
  presence: Presence,
  isOptional: Optional,
  countMax = 1,
  remembered = false,
): Field<Value, Optional> => ({ number, codec, presence, isOptional, countMax, remembered });

/** Always present. */
export const required = <Value>(number: number, codec: Codec<Value>): Field<Value, false> =>
  field(number, codec, 'required', false);

/** Absent on the wire means `null`. */
export const nullable = <Value>(number: number, codec: Codec<Value>): Field<Value | null, false> =>
  field(number, codec, 'nullable', false);

/** Absent on the wire means that the property is absent. */
export const optional = <Value>(number: number, codec: Codec<Value>): Field<Value | undefined, true> =>
  field(number, codec, 'optional', true);

/** Up to `countMax` values in order. */
export const list = <Value>(number: number, codec: Codec<Value>, countMax: number): Field<readonly Value[], false> =>
  field(number, codec, 'list', false, countMax);

/**
 * The same for a list that is written several times or written as it was read, as entries are to every voter and to
 * the journal: its bytes are worked out once and forgotten with its array, which nobody may change.
 */
export const rememberedList = <Value>(
  number: number,
  codec: Codec<Value>,
  countMax: number,
): Field<readonly Value[], false> => field(number, codec, 'list', false, countMax, true);

type Fields = Readonly<Record<string, Field<unknown>>>;
type Carried<Each> = Each extends Field<infer Value> ? Value : never;
type Shape<Table extends Fields> = {
  readonly [Name in keyof Table as Table[Name]['isOptional'] extends true ? never : Name]: Carried<Table[Name]>;
} & {
  readonly [Name in keyof Table as Table[Name]['isOptional'] extends true ? Name : never]?: Carried<Table[Name]>;
};

/** What a reader does with a field that it does not know. */
type Unknown = 'refused' | 'skipped';

interface Layout {
  readonly name: string;
  readonly fields: readonly CompiledField[];
  readonly numbers: ReadonlySet<number>;
  readonly unknown: Unknown;
}

/** Fields of a newer program that are passed over in one message; none of ours has nearly as many. */
const unknownFieldsMax = 32;

interface CompiledField {
  readonly name: string;
  readonly number: number;
  readonly tag: number;
  readonly codec: Codec<unknown>;
  readonly presence: Presence;
  readonly countMax: number;
  readonly remembered: boolean;
}

const tagOf = (number: number, wireType: WireType): number => number * 8 + wireType;

/** Runs `read` inside the next length prefix and requires that it ends exactly there. */
function readDelimited<Value>(reader: Reader, what: string, read: (end: number) => Value): Value {
  const length = reader.lengthUpTo(Number.MAX_SAFE_INTEGER, what);
  const end = reader.pos + length;
  const value = read(end);
  if (reader.pos !== end) throw new Malformed('malformed', `${what} does not end where it says`);
  return value;
}

/** A message can also be read into an object that exists already: the one that names the member of its union. */
interface MessageCodec<Value> extends Codec<Value> {
  readInto(reader: Reader, target: Record<string, unknown>): void;
}

/**
 * A protobuf message. Fields are written and must be read in the order of their numbers, each single one at most
 * once, so a value has one spelling; an unknown field is refused, because a replica that dropped it would no longer
 * store what the others store.
 */
export const message = <const Table extends Fields>(name: string, table: Table): MessageCodec<Shape<Table>> =>
  messageCodec(name, table, 'refused');

/**
 * The same for what is said and not kept: a field that a newer program has added is passed over, so that machines of
 * both hear one another. Such a field must be one that may be ignored.
 */
export const openMessage = <const Table extends Fields>(name: string, table: Table): MessageCodec<Shape<Table>> =>
  messageCodec(name, table, 'skipped');

function messageCodec<const Table extends Fields>(
  name: string,
  table: Table,
  unknown: Unknown,
): MessageCodec<Shape<Table>> {
  const fields = compile(name, table);
  const layout: Layout = { name, fields, numbers: new Set(fields.map((each) => each.number)), unknown };
  return {
    wireType: wireTypes.lengthDelimited,
    proto: { type: name, bound: '' },
    parts: fields.map((each) => each.codec),
    body: fields.map(describeField),
    write: (writer, value) => {
      writer.fork();
      writeFields(writer, fields, value);
      writer.join();
    },
    read: (reader) => readDelimited(reader, name, (end) => readFields(reader, end, layout, {})) as Shape<Table>,
    readInto: (reader, target) => {
      readDelimited(reader, name, (end) => readFields(reader, end, layout, target));
    },
  };
}

function compile(name: string, table: Fields): readonly CompiledField[] {
  const fields = Object.entries(table).map(([each, { number, codec, presence, countMax, remembered }]) => ({
    name: each,
    number,
    tag: tagOf(number, codec.wireType),
    codec,
    presence,
    countMax,
    remembered,
  }));
  fields.sort((left, right) => left.number - right.number);
  const numbers = new Set(fields.map((each) => each.number));
  assert(!fields.some((each) => each.remembered && each.number > 15), `${name} remembers lists with short tags only`);
  assert(numbers.size === fields.length && !numbers.has(0), `${name} numbers each field once, from 1`);
  return fields;
}

function writeFields(
  writer: BinaryWriter,
  fields: readonly CompiledField[],
  value: Readonly<Record<string, unknown>>,
): void {
  for (const each of fields) {
    const part = value[each.name];
    if (each.presence === 'list') {
      const items = part as readonly unknown[];
      assert(items.length <= each.countMax, `${each.name} holds at most ${each.countMax}, not ${items.length}`);
      if (each.remembered) writer.raw(bytesOfList(each, items));
      else writeItems(writer, each, items);
      continue;
    }
    if (part === null || part === undefined) {
      assert(each.presence !== 'required', `${each.name} is there`);
      continue;
    }
    writer.uint32(each.tag);
    each.codec.write(writer, part);
  }
}

function writeItems(writer: BinaryWriter, { tag, codec }: CompiledField, items: readonly unknown[]): void {
  for (const item of items) {
    writer.uint32(tag);
    codec.write(writer, item);
  }
}

/** A value has one spelling, so what a list was read from is also what writing it makes. */
const listBytes = new WeakMap<
  readonly unknown[],
  { readonly tag: number; readonly codec: Codec<unknown>; readonly bytes: Uint8Array }
>();

function bytesOfList(each: CompiledField, items: readonly unknown[]): Uint8Array {
  const { tag, codec } = each;
  const known = listBytes.get(items);
  if (known?.tag === tag && known.codec === codec) return known.bytes;
  const bytes = written((writer) => {
    writeItems(writer, each, items);
  });
  listBytes.set(items, { tag, codec, bytes });
  return bytes;
}

function readFields(
  reader: Reader,
  end: number,
  layout: Layout,
  value: Record<string, unknown>,
): Record<string, unknown> {
  const { name } = layout;
  let tag = reader.pos < end ? reader.uint53() : 0;
  for (const each of layout.fields) {
    if (tag !== 0 && tag < each.tag) tag = passOver(reader, end, layout, tag, each.number);
    if (each.presence === 'list') {
      const items: unknown[] = [];
      // A tag below 16 is one byte, and tags are read one ahead.
      const start = reader.pos - 1;
      let past = start;
      while (tag === each.tag) {
        if (items.length === each.countMax)
          throw new Malformed('limit-reached', `${name}.${each.name} has more than ${each.countMax} items`);
        items.push(each.codec.read(reader));
        past = reader.pos;
        tag = reader.pos < end ? reader.uint53() : 0;
      }
      if (each.remembered && reader.remembers && items.length > 0)
        listBytes.set(items, { tag: each.tag, codec: each.codec, bytes: reader.between(start, past) });
      value[each.name] = items;
    } else if (tag === each.tag) {
      value[each.name] = each.codec.read(reader);
      tag = reader.pos < end ? reader.uint53() : 0;
    } else if (each.presence === 'nullable') {
      value[each.name] = null;
    } else if (each.presence === 'required') {
      throw new Malformed('malformed', `${name}.${each.name} is missing`);
    }
  }
  if (tag !== 0) passOver(reader, end, layout, tag, Number.POSITIVE_INFINITY);
  return value;
}

/**
 * Passes over unknown fields with numbers below `before`, which ascend as all do. Answers the tag behind them, 0 at the
 * end. Throws `unsupported-version` where they must be known, and `malformed` for a known one that is out of its place.
 */
function passOver(reader: Reader, end: number, layout: Layout, tag: number, before: number): number {
  const { name, numbers, unknown } = layout;
  let next = tag;
  let lowest = 1;
  for (let count = 0; next !== 0 && fieldOf(next) < before; count++) {
    const number = fieldOf(next);
    if (numbers.has(number) || number < lowest)
      throw new Malformed('malformed', `${name} has a misplaced field ${number}`);
    if (unknown === 'refused')
      throw new Malformed('unsupported-version', `${name} has a field ${number} that this program does not know`);
    if (count === unknownFieldsMax) throw new Malformed('limit-reached', `${name} has too many unknown fields`);
    lowest = number;
    skipValue(reader, end, name, next % 8);
    next = reader.pos < end ? reader.uint53() : 0;
  }
  return next;
}

const fieldOf = (tag: number): number => Math.floor(tag / 8);

function skipValue(reader: Reader, end: number, name: string, wireType: number): void {
  if (wireType === wireTypes.varint) reader.uint53();
  else if (wireType === wireTypes.fixed64) reader.pos += 8;
  else if (wireType === wireTypes.lengthDelimited) reader.take(reader.lengthUpTo(end - reader.pos, name));
  else throw new Malformed('malformed', `${name} has a field of the unknown wire type ${wireType}`);
  if (reader.pos > end) throw new Malformed('malformed', `${name} does not end where it says`);
}

function describeField(each: CompiledField): string {
  const label = each.presence === 'list' ? 'repeated ' : each.presence === 'required' ? '' : 'optional ';
  const notes = [each.presence === 'list' ? `≤ ${each.countMax} items` : '', each.codec.proto.bound].filter(
    (note) => note !== '',
  );
  const comment = notes.length === 0 ? '' : `  // ${notes.join('; ')}`;
  return `${label}${each.codec.proto.type} ${snake(each.name)} = ${each.number};${comment}`;
}

const snake = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');

type Members = Readonly<Record<string, readonly [number: number, codec: MessageCodec<unknown>]>>;
type Carries<Each> = Each extends Codec<infer Value> ? Value : never;
type Union<Tag extends string, Table extends Members> = {
  [Name in keyof Table & string]: { readonly [Key in Tag]: Name } & Carries<Table[Name][1]>;
}[keyof Table & string];

/** A `oneof` whose member is named by the property `tag`: exactly one member; an unknown one is a newer program's, and refused. */
export function union<const Tag extends string, const Table extends Members>(
  name: string,
  tag: Tag,
  table: Table,
): Codec<Union<Tag, Table>> {
  const members = Object.entries(table).map(([each, [number, codec]]) => ({
    name: each,
    number,
    tag: tagOf(number, codec.wireType),
    codec,
  }));
  const byName = new Map(members.map((each) => [each.name, each]));
  const byTag = new Map(members.map((each) => [each.tag, each]));
  assert(byTag.size === members.length, `${name} numbers each member once`);
  return {
    wireType: wireTypes.lengthDelimited,
    proto: { type: name, bound: '' },
    parts: members.map((each) => each.codec),
    body: [
      'oneof ' + snake(tag) + ' {',
      ...members.map((each) => `  ${each.codec.proto.type} ${snake(each.name)} = ${each.number};`),
      '}',
    ],
    write: (writer, value) => {
      const kind = (value as Readonly<Record<string, unknown>>)[tag];
      const member = byName.get(String(kind));
      assert(member !== undefined, `${name} has no member ${String(kind)}`);
      writer.fork();
      writer.uint32(member.tag);
      member.codec.write(writer, value);
      writer.join();
    },
    read: (reader) =>
      readDelimited(reader, name, () => {
        const read = reader.uint53();
        const member = byTag.get(read);
        if (member === undefined) throw unknownMember(name, read);
        const value: Record<string, unknown> = { [tag]: member.name };
        member.codec.readInto(reader, value);
        return value as Union<Tag, Table>;
      }),
  };
}

/** Every member of every union is a message, so anything else is no union at all. */
function unknownMember(name: string, tag: number): Malformed {
  if (tag < 8 || tag % 8 !== wireTypes.lengthDelimited) return new Malformed('malformed', `${name} has no member`);
  return new Malformed('unsupported-version', `${name} has a member ${fieldOf(tag)} that this program does not know`);
}

/** A map from text to text, in the order its entries were written; a key comes once. */
export function textRecord(codec: {
  readonly key: Codec<string>;
  readonly value: Codec<string>;
  readonly countMax: number;
}): Codec<Readonly<Record<string, string>>> {
  const entry = message('TextEntry', { key: required(1, codec.key), value: required(2, codec.value) });
  const entries = message('TextRecord', { entries: list(1, entry, codec.countMax) });
  return {
    ...entries,
    write: (writer, value) =>
      entries.write(writer, { entries: Object.entries(value).map(([key, each]) => ({ key, value: each })) }),
    read: (reader) => {
      // A Map first and defined properties after: a key such as `__proto__` is text like any other.
      const found = new Map(entries.read(reader).entries.map((each) => [each.key, each.value]));
      return Object.fromEntries(found);
    },
  };
}

/** The codec's types as text in the manner of a .proto file, each once, in the order first met. */
export function describe(...codecs: readonly Codec<unknown>[]): string {
  const seen = new Map<string, readonly string[]>();
  const visit = (codec: Codec<unknown>): void => {
    if (codec.body !== null && !seen.has(codec.proto.type)) seen.set(codec.proto.type, codec.body);
    else if (codec.body !== null) return;
    codec.parts.forEach(visit);
  };
  codecs.forEach(visit);
  return (
    [...seen].map(([name, body]) => `message ${name} {\n${body.map((line) => `  ${line}\n`).join('')}}`).join('\n\n') +
    '\n'
  );
}
