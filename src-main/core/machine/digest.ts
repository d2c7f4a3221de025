/**
 * Digests of values as JSON knows them, so that machines can tell whether they hold the same: MurmurHash3 for 32-bit
 * machines with 128 bits of result (A. Appleby, SMHasher), over words that are the same for equal values whatever the
 * order in which a decoder put an object's properties. It finds mistakes and damage. It is no defence against somebody
 * who makes up values with equal digests, and whoever could do that is a member and may as well lie about the digest.
 */

/**
 * Raised with every change of what an entry of the log or a record of the state consists of: two programs that lay out
 * the same thing differently must not take each other for damaged.
 */
export const digestVersion = 2;

/** Grown to fit the largest value seen; one value at a time is laid out in it. */
let words = new Int32Array(1_024);
let count = 0;

const numberView = new DataView(new ArrayBuffer(8));

const tags = { absent: 1, yes: 2, no: 3, integer: 4, double: 5, text: 6, list: 7, object: 8, end: 9 } as const;

/** The digest of a value made of null, booleans, numbers, texts, lists and plain objects: 32 hexadecimal digits. */
export function digestOf(value: unknown): string {
  count = 0;
  layOut(value);
  return murmur128(words, 4 * count);
}

function push(word: number): void {
  if (count === words.length) {
    const larger = new Int32Array(2 * words.length);
    larger.set(words);
    words = larger;
  }
  words[count] = word;
  count += 1;
}

function layOut(value: unknown): void {
  switch (typeof value) {
    case 'string':
      return layOutText(value);
    case 'number':
      return layOutNumber(value);
    case 'boolean':
      return push(value ? tags.yes : tags.no);
    case 'object':
      if (value === null) return push(tags.absent);
      if (!Array.isArray(value)) return layOutObject(value);
      push(tags.list);
      push(value.length);
      for (const one of value) layOut(one);
      return;
    default:
      push(tags.absent);
  }
}

function layOutText(text: string): void {
  push(tags.text);
  push(text.length);
  let at = 0;
  for (; at + 1 < text.length; at += 2) push(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
  if (at < text.length) push(text.charCodeAt(at));
}

function layOutNumber(value: number): void {
  if ((value | 0) === value) {
    push(tags.integer);
    push(value);
    return;
  }
  numberView.setFloat64(0, value);
  push(tags.double);
  push(numberView.getInt32(0));
  push(numberView.getInt32(4));
}

/** A property that is undefined is as good as none: no decoder tells them apart. */
function layOutObject(value: object): void {
  const properties = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(value);
  sortShort(keys);
  push(tags.object);
  for (const key of keys) {
    const part = properties[key];
    if (part === undefined) continue;
    layOutText(key);
    layOut(part);
  }
  push(tags.end);
}

/** By insertion: objects have a handful of keys, and a general sort costs more than all the rest for those. */
function sortShort(keys: string[]): void {
  if (keys.length > 24) {
    keys.sort();
    return;
  }
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next] ?? '';
    let at = next;
    for (; at > 0 && (keys[at - 1] ?? '') > key; at--) keys[at] = keys[at - 1] ?? '';
    keys[at] = key;
  }
}

const multipliers = [0x239b961b, 0xab0e9789 | 0, 0x38b34ae5, 0xa1e38b93 | 0] as const;
const [c1, c2, c3, c4] = multipliers;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** `bytes` bytes that lie in words, the first in the lowest bits; unused bytes of the last word are 0. */
export function murmur128(data: Int32Array, bytes: number): string {
  const word = (at: number): number => data[at] ?? 0;
  let [h1, h2, h3, h4] = [0, 0, 0, 0];
  const blocks = Math.floor(bytes / 16);
  for (let block = 0; block < blocks; block++) {
    const at = 4 * block;
    h1 ^= Math.imul(rotate(Math.imul(word(at), c1), 15), c2);
    h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotate(Math.imul(word(at + 1), c2), 16), c3);
    h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotate(Math.imul(word(at + 2), c3), 17), c4);
    h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotate(Math.imul(word(at + 3), c4), 18), c1);
    h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0;
  }
  const rest = bytes - 16 * blocks;
  const tail = 4 * blocks;
  if (rest > 12) h4 ^= Math.imul(rotate(Math.imul(word(tail + 3), c4), 18), c1);
  if (rest > 8) h3 ^= Math.imul(rotate(Math.imul(word(tail + 2), c3), 17), c4);
  if (rest > 4) h2 ^= Math.imul(rotate(Math.imul(word(tail + 1), c2), 16), c3);
  if (rest > 0) h1 ^= Math.imul(rotate(Math.imul(word(tail), c1), 15), c2);
  [h1, h2, h3, h4] = spread(h1 ^ bytes, h2 ^ bytes, h3 ^ bytes, h4 ^ bytes);
  [h1, h2, h3, h4] = spread(finish(h1), finish(h2), finish(h3), finish(h4));
  return hex(h1) + hex(h2) + hex(h3) + hex(h4);
}

type Four = [number, number, number, number];

/** Each of the four takes part in each. */
function spread(h1: number, h2: number, h3: number, h4: number): Four {
  const sum = (h1 + h2 + h3 + h4) | 0;
  return [sum, (h2 + sum) | 0, (h3 + sum) | 0, (h4 + sum) | 0];
}

function finish(half: number): number {
  let mixed = Math.imul(half ^ (half >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
