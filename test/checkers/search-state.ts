import type { Operation } from './history.ts';

const none = -1;

/**
 * Calls and returns in the order of time, as a doubly linked list from which operations are taken out and put back
 * (Lowe 2017, section 3.1). Operation i has its call at position i and its return at n + i; an operation whose
 * outcome is unknown has no return. Calls come before returns of the same moment: touching operations overlap.
 */
export class EntryList {
  /** In the order of their starts. */
  readonly operations: readonly Operation[];
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #head: number;

  constructor(operations: readonly Operation[]) {
    this.operations = operations.toSorted((left, right) => left.start - right.start);
    const count = this.operations.length;
    this.#head = 2 * count;
    this.#next = new Int32Array(2 * count + 1).fill(none);
    this.#previous = new Int32Array(2 * count + 1).fill(none);
    const entries = this.operations.flatMap(({ start, end }, index) => [
      { at: start, entry: index },
      ...(end === null ? [] : [{ at: end, entry: count + index }]),
    ]);
    entries.sort(
      (left, right) =>
        left.at - right.at || Number(left.entry >= count) - Number(right.entry >= count) || left.entry - right.entry,
    );
    let last = this.#head;
    for (const { entry } of entries) {
      this.#next[last] = entry;
      this.#previous[entry] = last;
      last = entry;
    }
  }

  /** The first entry, or -1. */
  get first(): number {
    return this.after(this.#head);
  }

  after(entry: number): number {
    return this.#next[entry] ?? none;
  }

  isCall(entry: number): boolean {
    return entry !== none && entry < this.operations.length;
  }

  operation(index: number): Operation {
    const operation = this.operations[index];
    if (operation === undefined) throw new Error(`there is no operation ${index}`);
    return operation;
  }

  /** What returns at this entry; null at the end of the list. */
  operationOfReturn(entry: number): Operation | null {
    return entry === none ? null : this.operation(entry - this.operations.length);
  }

  takeOut(index: number): void {
    this.#unlink(index);
    if (this.operation(index).end !== null) this.#unlink(this.operations.length + index);
  }

  /** Undoes the latest `takeOut` that was not undone yet. */
  putBack(index: number): void {
    if (this.operation(index).end !== null) this.#relink(this.operations.length + index);
    this.#relink(index);
  }

  #unlink(entry: number): void {
    const [previous, next] = [this.#previous[entry] ?? none, this.#next[entry] ?? none];
    this.#next[previous] = next;
    if (next !== none) this.#previous[next] = previous;
  }

  #relink(entry: number): void {
    const [previous, next] = [this.#previous[entry] ?? none, this.#next[entry] ?? none];
    this.#next[previous] = entry;
    if (next !== none) this.#previous[next] = entry;
  }
}

const bitsPerSign = 15;

/** Which operations the order has so far, and a text that says exactly this, short where the order has no gaps. */
export class Placed {
  /** For each operation its number among those that must be placed, or -1. */
  readonly #numbers: Int32Array;
  readonly #isPlaced: Uint8Array;
  readonly #optional = new Set<number>();
  /** Of the operations that must be placed and have a rank: their numbers, in the order of ranks. */
  readonly #ranked: readonly { readonly number: number; readonly rank: number }[];
  #lowestRanked = 0;
  #lowest = 0;
  #highest = none;
  /** Operations that were answered and have no place yet. */
  requiredLeft = 0;

  constructor(operations: readonly Operation[], rankOf: (operation: Operation) => number | null) {
    this.#numbers = Int32Array.from(operations, ({ end }) => (end === null ? none : this.requiredLeft++));
    this.#isPlaced = new Uint8Array(this.requiredLeft + 1);
    this.#ranked = operations
      .map((operation, index) => ({ number: this.#numbers[index] ?? none, rank: rankOf(operation) ?? none }))
      .filter(({ number, rank }) => number !== none && rank !== none)
      .sort((left, right) => left.rank - right.rank);
  }

  /** Whether one that must be placed has a lower rank and no place yet: it could never get one after this rank. */
  misses(rank: number): boolean {
    while (this.#isPlaced[this.#ranked[this.#lowestRanked]?.number ?? none] === 1) this.#lowestRanked += 1;
    const lowest = this.#ranked[this.#lowestRanked];
    return lowest !== undefined && lowest.rank < rank;
  }

  add(index: number): void {
    const number = this.#numbers[index] ?? none;
    if (number === none) {
      this.#optional.add(index);
      return;
    }
    this.requiredLeft -= 1;
    this.#isPlaced[number] = 1;
    if (number > this.#highest) this.#highest = number;
    while (this.#isPlaced[this.#lowest] === 1) this.#lowest += 1;
  }

  remove(index: number): void {
    const number = this.#numbers[index] ?? none;
    if (number === none) {
      this.#optional.delete(index);
      return;
    }
    this.requiredLeft += 1;
    this.#isPlaced[number] = 0;
    while (this.#lowestRanked > 0 && this.#isPlaced[this.#ranked[this.#lowestRanked - 1]?.number ?? none] === 0)
      this.#lowestRanked -= 1;
    if (number < this.#lowest) this.#lowest = number;
    while (this.#highest >= 0 && this.#isPlaced[this.#highest] === 0) this.#highest -= 1;
  }

  /** Everything below the lowest gap, then a bit for each up to the highest, then the optional ones. */
  text(): string {
    let text = `${this.#lowest}:`;
    for (let from = this.#lowest; from <= this.#highest; from += bitsPerSign) {
      let sign = 0;
      for (let bit = 0; bit < bitsPerSign && from + bit <= this.#highest; bit++)
        sign |= (this.#isPlaced[from + bit] ?? 0) << bit;
      text += String.fromCharCode(sign);
    }
    if (this.#optional.size > 0) text += `+${[...this.#optional].sort((left, right) => left - right).join(',')}`;
    return `${text};`;
  }
}
