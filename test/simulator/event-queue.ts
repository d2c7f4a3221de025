interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Virtual time: a binary heap of what happens next, by time and then by the order of scheduling. */
export class EventQueue {
  readonly #heap: Scheduled[] = [];
  #now = 0;
  #order = 0;

  /** Milliseconds since the beginning of the run. */
  get now(): number {
    return this.#now;
  }

  /** Runs `run` at that time, never before now. Returns its cancellation. */
  at(time: number, run: () => void): () => void {
    const scheduled: Scheduled = { at: Math.max(time, this.#now), order: this.#order++, run, cancelled: false };
    this.#heap.push(scheduled);
    this.#up(this.#heap.length - 1);
    return () => {
      scheduled.cancelled = true;
    };
  }

  after(delayMs: number, run: () => void): () => void {
    return this.at(this.#now + delayMs, run);
  }

  /** Runs the next event at or before `until`; false when there is none. */
  next(until: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) {
        this.#now = until;
        return false;
      }
      this.#pop();
      if (first.cancelled) continue;
      this.#now = first.at;
      first.run();
      return true;
    }
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down();
  }

  #up(start: number): void {
    const heap = this.#heap;
    for (let at = start; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent, heap)) return;
      at = parent;
    }
  }

  #down(): void {
    const heap = this.#heap;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (before(heap[left], heap[least])) least = left;
      if (before(heap[right], heap[least])) least = right;
      if (least === at) return;
      this.#swapIfBefore(least, at, heap);
      at = least;
    }
  }

  #swapIfBefore(child: number, parent: number, heap: Scheduled[]): boolean {
    const lower = heap[child];
    const upper = heap[parent];
    if (lower === undefined || upper === undefined || !before(lower, upper)) return false;
    heap[child] = upper;
    heap[parent] = lower;
    return true;
  }
}

const before = (left: Scheduled | undefined, right: Scheduled | undefined): boolean =>
  left !== undefined &&
  right !== undefined &&
  (left.at < right.at || (left.at === right.at && left.order < right.order));
