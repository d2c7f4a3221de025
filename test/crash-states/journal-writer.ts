import type { Failure } from '../../shared/domain/failure.ts';
import type { JournalFileSystem } from '../../src-main/adapters/disk/journal-file-system.ts';
import { openJournal as openShipped } from '../../src-main/adapters/disk/segment-journal.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { Journal } from '../../src-main/ports/journal.ts';
import type { Writer } from './enumerate.ts';
import type { DiskOperation, Fault, MemoryDisk } from './memory-disk.ts';

const dir = '/journal';
/** Small, so that a short run seals several segments. */
const segmentBytesMax = 200;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const joined = (records: readonly Uint8Array[]): string =>
  records.map((record) => new TextDecoder().decode(record)).join('|');

export interface JournalWriterOptions {
  readonly name?: string;
  readonly openJournal?: typeof openShipped;
  /** Stands between the writer, not the recovery, and the disk: where a fault of the writer is put in. */
  readonly through?: (disk: MemoryDisk) => JournalFileSystem;
  /** Draws which operation the disk refuses, if any. */
  readonly faults?: (random: Random) => (change: DiskOperation, number: number) => Fault | null;
}

/** The journal over several lives of a process on one disk: appends, group commits, new heads, sealed segments. */
export function journalWriter(options: JournalWriterOptions = {}): Writer {
  const openJournal = options.openJournal ?? openShipped;
  return {
    name: options.name ?? 'the journal',
    async record(disk, random) {
      const faults = options.faults?.(random);
      if (faults !== undefined) disk.fault = faults;
      const files = options.through?.(disk) ?? disk;
      for (let life = 1, lives = 2 + random.below(2); life <= lives; life++) {
        const opened = await openJournal(dir, { files, lockPath: null, segmentBytesMax });
        if (!opened.ok) continue;
        const contents = [joined(opened.value.records)];
        disk.operations.push({ type: 'promise', contents, certain: 0 });
        await new Life(opened.value.journal, { disk, contents, random, life }).live();
        // Sometimes a process just ends.
        if (random.below(2) === 0) await opened.value.journal.close();
      }
      disk.fault = () => null;
    },
    async recover(disk) {
      const opened = await openJournal(dir, { files: disk, lockPath: null, segmentBytesMax });
      return opened.ok ? { found: joined(opened.value.records) } : { refused: opened.failure.message };
    },
  };
}

/** One process with the journal open. */
class Life {
  readonly #journal: Journal;
  readonly #disk: MemoryDisk;
  readonly #contents: string[];
  readonly #random: Random;
  readonly #name: number;
  #records = 0;
  #failed = false;

  constructor(
    journal: Journal,
    parts: { readonly disk: MemoryDisk; readonly contents: string[]; readonly random: Random; readonly life: number },
  ) {
    this.#journal = journal;
    this.#disk = parts.disk;
    this.#contents = parts.contents;
    this.#random = parts.random;
    this.#name = parts.life;
  }

  async live(): Promise<void> {
    for (let step = 2 + this.#random.below(4); step > 0 && !this.#failed; step--) {
      // Several at once share a write and a sync.
      await Promise.all(Array.from({ length: 1 + this.#random.below(3) }, () => this.#work()));
    }
  }

  #work(): Promise<void> {
    return this.#random.below(8) === 0 ? this.#replace() : this.#append();
  }

  #append(): Promise<void> {
    const records = Array.from({ length: 1 + this.#random.below(2) }, () => this.#record());
    for (const record of records) {
      const before = this.#contents.at(-1) ?? '';
      this.#contents.push(before === '' ? record : `${before}|${record}`);
    }
    const sync = this.#random.below(4) > 0;
    return this.#settled((done) => this.#journal.append(records.map(bytesOf), { sync }, done), sync);
  }

  #replace(): Promise<void> {
    const head = [`head ${this.#record()}`, this.#record()];
    this.#contents.push(head.join('|'));
    return this.#settled((done) => this.#journal.replaceHead(head.map(bytesOf), done), true);
  }

  #settled(start: (done: (failure?: Failure) => void) => void, sync: boolean): Promise<void> {
    const { length } = this.#contents;
    return new Promise((resolve) => {
      start((failure) => {
        if (failure !== undefined) this.#failed = true;
        else if (sync) this.#disk.operations.push({ type: 'promise', contents: this.#contents, certain: length - 1 });
        resolve();
      });
    });
  }

  /** No two alike; now and then one that looks like a marker. */
  #record(): string {
    this.#records += 1;
    const padding = this.#random.below(6) === 0 ? 'SYNCMARK' : 'x'.repeat(this.#random.below(12));
    return `${this.#name}.${this.#records}${padding}`;
  }
}
