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

/**
 * The keys in order of their code units. A plain array: inserting into 100,000 moves less memory than a tree touches,
 * and a range is one slice.
 */
export class SortedKeys {
  readonly #keys: KvKey[];

  constructor(sorted: readonly KvKey[] = []) {
    this.#keys = [...sorted];
  }

  add(key: KvKey): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  remove(key: KvKey): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  count({ from, to }: KeyRange): number {
    return Math.max(0, (to === null ? this.#keys.length : this.#firstFrom(to)) - this.#firstFrom(from));
  }

  /** At most `limit` of them, the first ones. */
  list({ from, to }: KeyRange, limit: number): readonly KvKey[] {
    const start = this.#firstFrom(from);
    const end = to === null ? this.#keys.length : this.#firstFrom(to);
    return this.#keys.slice(start, Math.max(start, Math.min(end, start + limit)));
  }

  /** Index of the first key that is not below `key`. */
  #firstFrom(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
