import { crc32 } from 'node:zlib';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { Journal } from '../../src-main/ports/journal.ts';
import type { EventQueue } from './event-queue.ts';
import { chance, exponential } from './forks.ts';

interface Operation {
  readonly type: 'append' | 'replace';
  readonly records: readonly Uint8Array[];
  readonly sync: boolean;
  readonly done: (failure?: Failure) => void;
}

const failed: Failure = { code: 'disk-failed', message: 'the simulated disk failed', hint: 'Restart the node.' };

const noRoom: Failure = { code: 'disk-full', message: 'the simulated disk is full', hint: 'It waits for room.' };

/**
 * A disk that forgets what was not synced at a crash: of the writes under way, some prefix survives and the last one
 * may be torn, which recovery sees as absent. Each record lies there with its checksum.
 */
export class SimDisk {
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #options: { readonly syncMs: number; readonly tearShare: number };
  /** What a restart would find for sure. */
  #image: readonly Uint8Array[] = [];
  #operations: Operation[] = [];
  /** Raised at each crash: completions of an earlier life are void. */
  #life = 0;
  #slowUntil = 0;
  #failNext = false;
  #broken = false;
  #busy = false;
  /** Checksums as they were written, by record. */
  readonly #sums = new WeakMap<Uint8Array, number>();
  /** No further write finds room. */
  full = false;

  constructor(queue: EventQueue, random: Random, options: { readonly syncMs: number; readonly tearShare: number }) {
    this.#queue = queue;
    this.#random = random;
    this.#options = options;
  }

  /** The records a restart finds now. */
  get records(): readonly Uint8Array[] {
    return this.#image;
  }

  get isEmpty(): boolean {
    return this.#image.length === 0;
  }

  set records(records: readonly Uint8Array[]) {
    this.#image = records;
  }

  /** What a restart finds does not match its checksums. */
  get isDamaged(): boolean {
    return this.#image.some((record) => this.#sums.has(record) && this.#sums.get(record) !== crc32(record));
  }

  /** Changes one bit of a record that had been synced. */
  rot(random: Random): void {
    const place = random.below(Math.max(1, this.#image.length));
    const record = this.#image[place];
    if (record === undefined || record.length === 0) return;
    const rotten = Uint8Array.from(record);
    const at = random.below(rotten.length);
    rotten[at] = (rotten[at] ?? 0) ^ (1 << random.below(8));
    this.#sums.set(rotten, crc32(record));
    this.#image = this.#image.map((each, index) => (index === place ? rotten : each));
  }

  slow(forMs: number): void {
    this.#slowUntil = this.#queue.now + forMs;
  }

  failOnce(): void {
    this.#failNext = true;
  }

  open(): Journal {
    this.#broken = false;
    this.#failNext = false;
    const journal: Journal = {
      append: (records, { sync }, done) => this.#submit({ type: 'append', records, sync, done }),
      replaceHead: (head, done) => this.#submit({ type: 'replace', records: [...head], sync: true, done }),
      bytes: 0,
      close: () => Promise.resolve(),
    };
    return journal;
  }

  /** Loses what was not synced, except for a prefix that happened to reach the disk. */
  crash(): void {
    this.#life += 1;
    this.#busy = false;
    const lost = this.#operations;
    this.#operations = [];
    for (const operation of lost) {
      if (!chance(this.#random, 0.5)) return;
      const torn = operation.type === 'append' && chance(this.#random, this.#options.tearShare);
      this.#perform(
        torn
          ? { ...operation, records: operation.records.slice(0, this.#random.below(operation.records.length + 1)) }
          : operation,
      );
      if (torn) return;
    }
  }

  #submit(operation: Operation): void {
    this.#operations.push(operation);
    this.#work();
  }

  #work(): void {
    const [first] = this.#operations;
    if (this.#busy || first === undefined) return;
    this.#busy = true;
    const life = this.#life;
    this.#queue.after(this.#latency(first), () => {
      if (life !== this.#life) return;
      this.#busy = false;
      this.#operations.shift();
      this.#complete(first);
      if (life === this.#life) this.#work();
    });
  }

  #complete(operation: Operation): void {
    if (this.full && !this.#broken) {
      // Nothing of it was taken, and nothing after it will be: the journal has stopped.
      operation.done(noRoom);
      return;
    }
    if (this.#broken || this.#failNext) {
      this.#broken = true;
      this.#failNext = false;
      // Whether a failed write reached the disk is anybody's guess.
      if (operation.type === 'append' && chance(this.#random, 0.5)) this.#perform(operation);
      operation.done(failed);
      return;
    }
    this.#perform(operation);
    operation.done();
  }

  #perform(operation: Operation): void {
    this.#image = operation.type === 'replace' ? operation.records : [...this.#image, ...operation.records];
  }

  #latency(operation: Operation): number {
    if (!operation.sync) return 0.01;
    const base = exponential(this.#random, this.#options.syncMs);
    return this.#queue.now < this.#slowUntil ? base + exponential(this.#random, 800) : base;
  }
}
