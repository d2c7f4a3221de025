import type { KvKey } from '../../../shared/domain/ids.ts';

/** Keys from `from` on, up to but without `to`; null means to the end. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | null;
}

const highestUnit = '\uffff';

/** Every key that begins with `prefix`. */
export function prefixRange(prefix: string): KeyRange {
  let end = prefix;
  while (end.endsWith(highestUnit)) end = end.slice(0, -1);
  if (end === '') return { from: prefix, to: null };
  return { from: prefix, to: end.slice(0, -1) + String.fromCharCode(end.charCodeAt(end.length - 1) + 1) };
}

export const isWithin = ({ from, to }: KeyRange, key: string): boolean => key >= from && (to === null || key < to);

/** A block that grows beyond this is split in two. */
const blockKeysMax = 512;

interface Place {
  readonly block: number;
  readonly index: number;
}

/**
 * The keys in order of their code units, in blocks: an insertion moves the keys of one block, not of all, and a range
 * is read block by block.
 */
export class SortedKeys {
  /** None is empty. */
  readonly #blocks: KvKey[][] = [];

  /** `sorted` has each key once, in order. */
  constructor(sorted: readonly KvKey[] = []) {
    for (let start = 0; start < sorted.length; start += blockKeysMax / 2) {
      this.#blocks.push(sorted.slice(start, start + blockKeysMax / 2));
    }
  }

  add(key: KvKey): void {
    const { block: at, index } = this.#placeOf(key);
    const block = this.#blocks[at];
    if (block === undefined) {
      // Behind the last block: that one takes it, if there is one.
      const last = this.#blocks.at(-1);
      if (last === undefined) this.#blocks.push([key]);
      else last.push(key);
    } else if (block[index] !== key) block.splice(index, 0, key);
    this.#splitIfLarge(Math.min(at, this.#blocks.length - 1));
  }

  remove(key: KvKey): void {
    const { block: at, index } = this.#placeOf(key);
    const block = this.#blocks[at];
    if (block?.[index] !== key) return;
    block.splice(index, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  count({ from, to }: KeyRange): number {
    const end = to === null ? this.#rankOf({ block: this.#blocks.length, index: 0 }) : this.#rankOf(this.#placeOf(to));
    return Math.max(0, end - this.#rankOf(this.#placeOf(from)));
  }

  /** At most `limit` of them, the first ones. */
  list(range: KeyRange, limit: number): readonly KvKey[] {
    const found: KvKey[] = [];
    const start = this.#placeOf(range.from);
    for (let at = start.block; at < this.#blocks.length; at++) {
      for (const key of (this.#blocks[at] ?? []).slice(at === start.block ? start.index : 0)) {
        if (found.length >= limit || !isWithin(range, key)) return found;
        found.push(key);
      }
    }
    return found;
  }

  /** By position, up to but without `to`. */
  page(from: number, to: number): readonly KvKey[] {
    const found: KvKey[] = [];
    let start = 0;
    for (const block of this.#blocks) {
      if (start >= to) break;
      if (start + block.length > from) found.push(...block.slice(Math.max(0, from - start), to - start));
      start += block.length;
    }
    return found;
  }

  /** Where the first key that is not below `key` stands; behind the last block when there is none. */
  #placeOf(key: string): Place {
    const block = firstIndex(this.#blocks.length, (at) => (this.#blocks[at]?.at(-1) ?? '') >= key);
    const keys = this.#blocks[block] ?? [];
    return { block, index: firstIndex(keys.length, (at) => (keys[at] ?? '') >= key) };
  }

  #rankOf({ block, index }: Place): number {
    let rank = index;
    for (let at = 0; at < block; at++) rank += this.#blocks[at]?.length ?? 0;
    return rank;
  }

  #splitIfLarge(at: number): void {
    const block = this.#blocks[at];
    if (block === undefined || block.length <= blockKeysMax) return;
    this.#blocks.splice(at + 1, 0, block.splice(blockKeysMax / 2));
  }
}

/** The first index below `length` for which `isThere` holds, which then holds for all after it; `length` when none. */
function firstIndex(length: number, isThere: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isThere(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
