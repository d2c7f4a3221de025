/** A binary heap: the smallest element comes out first, each step in logarithmic time. */
export class MinHeap<Value> {
  readonly #values: Value[] = [];
  readonly #compare: (left: Value, right: Value) => number;

  constructor(compare: (left: Value, right: Value) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#values.length;
  }

  peek(): Value | null {
    return this.#values[0] ?? null;
  }

  push(value: Value): void {
    this.#values.push(value);
    this.#rise(this.#values.length - 1);
  }

  pop(): Value | null {
    const first = this.#values[0];
    const last = this.#values.pop();
    if (first === undefined || last === undefined) return null;
    if (this.#values.length > 0) {
      this.#values[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      if (left >= this.#values.length) return;
      const child = right < this.#values.length && this.#isBefore(right, left) ? right : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#values[left], this.#values[right]];
    return a !== undefined && b !== undefined && this.#compare(a, b) < 0;
  }

  #swapIfBefore(child: number, parent: number): boolean {
    if (!this.#isBefore(child, parent)) return false;
    const [a, b] = [this.#values[child], this.#values[parent]];
    if (a === undefined || b === undefined) return false;
    this.#values[child] = b;
    this.#values[parent] = a;
    return true;
  }
}
