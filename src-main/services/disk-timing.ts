import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';

/** Writes the figures are made of: some seconds under load, some hours of quiet. */
const writesKept = 512;

export interface SyncTiming {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  readonly writes: number;
}

/** How long this machine's disk takes until a write is there for good, as those who wait for it feel it. */
export class DiskTiming {
  readonly #took: number[] = [];
  #next = 0;
  #writes = 0;

  note(tookMs: number): void {
    this.#took[this.#next] = tookMs;
    this.#next = (this.#next + 1) % writesKept;
    this.#writes += 1;
  }

  /** Null before the first write. Sorts what is kept, so it is asked when somebody looks, not at every write. */
  figures(): SyncTiming | null {
    if (this.#took.length === 0) return null;
    const sorted = [...this.#took].sort((left, right) => left - right);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1), writes: this.#writes };
  }
}

/** The same journal, with the time of every synced append noted. */
export function timedJournal(journal: Journal, clock: Clock, timing: DiskTiming): Journal {
  return {
    append(records, options, done) {
      const from = clock.now();
      journal.append(records, options, (failure) => {
        if (options.sync && failure === undefined) timing.note(clock.now() - from);
        done(failure);
      });
    },
    replaceHead: (head, done) => journal.replaceHead(head, done),
    get bytes() {
      return journal.bytes;
    },
    close: () => journal.close(),
  };
}
