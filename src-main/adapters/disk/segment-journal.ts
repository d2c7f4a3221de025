import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/domain/failure.ts';
import type { Journal, OpenedJournal } from '../../ports/journal.ts';
import { diskFailure, isFull } from './disk-failure.ts';
import { realFileSystem, type JournalFileSystem } from './journal-file-system.ts';
import {
  encodeMarker,
  encodeRecords,
  frameHeaderBytes,
  frameTypes,
  markerBytes,
  recordBytesMax,
} from './journal-format.ts';
import { createSegment, obsoleteNames, recover, type OpenSegment, type RecoveredJournal } from './journal-recovery.ts';
import { lockFile, type ProcessLock } from './process-lock.ts';

export interface JournalOptions {
  /** Held while the journal is open, so that no two processes write one journal; null when the caller holds one. */
  readonly lockPath?: string | null;
  /** A segment that has grown past this many bytes is sealed and another one begun. */
  readonly segmentBytesMax?: number;
  readonly files?: JournalFileSystem;
  /**
   * Asked when a write finds no space: frees some and answers true, or answers false. The write is then made once more
   * from its beginning. A sync is never made again after it failed, whatever the reason.
   */
  readonly makeRoom?: () => Promise<boolean>;
}

type Done = (failure?: Failure) => void;
type Work =
  | {
      readonly type: 'append';
      readonly records: readonly Uint8Array[];
      readonly sync: boolean;
      readonly bytes: number;
      readonly done: Done;
    }
  | {
      readonly type: 'replace-head';
      readonly head: Iterable<Uint8Array>;
      readonly bytes: 0;
      readonly done: Done;
    };
type Append = Extract<Work, { type: 'append' }>;

const segmentBytesDefault = 64 * 1_024 * 1_024;
/** One write to the system: large enough to share a sync among many, small enough to keep latency even. */
const batchBytesMax = 8 * 1_024 * 1_024;
/** Accepted and not yet written. Callers wait for `done`, so reaching this means that the disk has stopped answering. */
const waitingBytesMax = 256 * 1_024 * 1_024;

/**
 * Opens, or creates, the journal in `dir` and reads all of it.
 * Fails with `already-exists` (another process holds it), `corrupt` (file and offset are named), `disk-full` or `disk-failed`.
 */
export async function openJournal(dir: string, options: JournalOptions = {}): Promise<Result<OpenedJournal>> {
  const files = options.files ?? realFileSystem;
  const lockPath = options.lockPath === undefined ? join(dir, 'lock') : options.lockPath;
  const lock: Result<ProcessLock | null> = lockPath === null ? ok(null) : lockFile(lockPath);
  if (!lock.ok) return lock;
  try {
    const recovered = await recover(files, dir);
    if (!recovered.ok) {
      lock.value?.release();
      return recovered;
    }
    const { records, tornBytes, created } = recovered.value;
    const segmentBytesMax = options.segmentBytesMax ?? segmentBytesDefault;
    const makeRoom = options.makeRoom ?? (() => Promise.resolve(false));
    const journal = new SegmentJournal({ files, dir, lock: lock.value, segmentBytesMax, makeRoom }, recovered.value);
    return ok({ journal, records, tornBytes, created });
  } catch (error) {
    lock.value?.release();
    return { ok: false, failure: diskFailure(error, 'opening the journal in', dir) };
  }
}

interface Home {
  readonly files: JournalFileSystem;
  readonly dir: string;
  readonly lock: ProcessLock | null;
  readonly segmentBytesMax: number;
  readonly makeRoom: () => Promise<boolean>;
}

/** Group commit: whatever is appended while the disk is busy shares the next write and the next sync. */
class SegmentJournal implements Journal {
  readonly #home: Home;
  #segment: OpenSegment;
  /** Bytes of sealed segments of this generation. */
  #sealedBytes: number;
  readonly #waiting: Work[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | null = null;
  #failure: Failure | null = null;
  #closing: Promise<void> | null = null;

  constructor(home: Home, recovered: RecoveredJournal) {
    this.#home = home;
    this.#segment = recovered.segment;
    this.#sealedBytes = recovered.bytes - recovered.segment.position;
  }

  get bytes(): number {
    return this.#sealedBytes + this.#segment.position;
  }

  append(records: readonly Uint8Array[], options: { readonly sync: boolean }, done: Done): void {
    this.#accept({ type: 'append', records, sync: options.sync, bytes: framedBytes(records), done });
  }

  replaceHead(head: Iterable<Uint8Array>, done: Done): void {
    this.#accept({ type: 'replace-head', head, bytes: 0, done });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #accept(work: Work): void {
    const refusal = this.#refusal(work);
    if (refusal !== null) {
      // Being closed is no failure of the work accepted before: that is still carried out.
      if (refusal.code !== 'not-running') this.#failure ??= refusal;
      // Work that is still running calls back first: answers keep the order of the calls.
      const before = this.#running ?? Promise.resolve();
      void before.finally(() => setImmediate(() => work.done(refusal)));
      return;
    }
    this.#waiting.push(work);
    this.#waitingBytes += work.bytes;
    this.#running ??= this.#start();
  }

  #refusal(work: Work): Failure | null {
    if (this.#failure !== null) return this.#failure;
    if (this.#closing !== null) return fail('not-running', `the journal in ${this.#home.dir} is closed`).failure;
    if (work.type === 'append' && work.records.some((record) => record.byteLength > recordBytesMax)) {
      return fail('limit-reached', `a journal record is longer than ${String(recordBytesMax)} bytes`).failure;
    }
    if (work.type === 'append' && this.#waitingBytes + work.bytes > waitingBytesMax) {
      return fail('limit-reached', `more than ${String(waitingBytesMax)} bytes wait for the disk of ${this.#home.dir}`)
        .failure;
    }
    return null;
  }

  async #start(): Promise<void> {
    // One turn of the loop, so that everything one step of the node appends becomes one write.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      const failure = this.#failure ?? (await this.#carryOut(batch));
      if (failure !== null) this.#failure ??= failure;
      for (const work of batch) answer(work.done, failure);
    }
    this.#running = null;
  }

  /** A run of appends that fit in one write, or a single replacement. */
  #takeBatch(): readonly Work[] {
    let count = 0;
    let bytes = 0;
    for (const work of this.#waiting) {
      const alone = work.type === 'replace-head';
      if (count > 0 && (alone || bytes + work.bytes > batchBytesMax)) break;
      count += 1;
      bytes += work.bytes;
      if (alone) break;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #carryOut(batch: readonly Work[]): Promise<Failure | null> {
    const first = batch[0];
    try {
      if (first?.type === 'replace-head') await this.#replace(first.head);
      else await this.#write(batch.filter((work): work is Append => work.type === 'append'));
      return null;
    } catch (error) {
      const failure = diskFailure(error, 'writing the journal in', this.#home.dir);
      // A journal file that vanished under us is a broken disk, not something a caller may look for.
      return failure.code === 'not-found' ? { ...failure, code: 'disk-failed' } : failure;
    }
  }

  async #write(appends: readonly Append[]): Promise<void> {
    const segment = this.#segment;
    const bytes = encodeRecords(
      segment.header.nonce,
      segment.position,
      appends.flatMap((append) => append.records),
    );
    if (bytes.byteLength > 0) await this.#inRoom(() => segment.file.write(bytes, segment.position));
    segment.position += bytes.byteLength;
    if (appends.some((append) => append.sync)) {
      await segment.file.sync();
      // The marker follows the sync: written with its batch it could reach the disk before the batch does,
      // and a plain power cut would look like damage.
      await this.#mark(segment, frameTypes.marker);
    }
    if (segment.position >= this.#home.segmentBytesMax) await this.#nextSegment();
  }

  async #mark(segment: OpenSegment, type: typeof frameTypes.marker | typeof frameTypes.seal): Promise<void> {
    const marker = encodeMarker(segment.header.nonce, segment.position, type);
    await this.#inRoom(() => segment.file.write(marker, segment.position));
    segment.position += markerBytes;
  }

  /** Only for work that begins from nothing when made again: a write at its place, or a whole new file. */
  async #inRoom<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      if (!isFull(error) || !(await this.#home.makeRoom())) throw error;
      return work();
    }
  }

  async #nextSegment(): Promise<void> {
    const { files, dir } = this.#home;
    const full = this.#segment;
    await full.file.sync();
    await this.#mark(full, frameTypes.seal);
    await full.file.sync();
    const { generation, index } = full.header;
    this.#segment = await this.#inRoom(() => createSegment(files, dir, { generation, index: index + 1 }, []));
    this.#sealedBytes += full.position;
    await full.file.close();
  }

  async #replace(head: Iterable<Uint8Array>): Promise<void> {
    const { files, dir } = this.#home;
    const old = this.#segment;
    const generation = old.header.generation + 1;
    this.#segment = await this.#inRoom(() => createSegment(files, dir, { generation, index: 0 }, head));
    this.#sealedBytes = 0;
    await old.file.close();
    // From here on only the new generation counts: the next opening removes what a crash leaves of the old one.
    for (const name of obsoleteNames(await files.list(dir), generation)) await files.remove(join(dir, name));
  }

  async #close(): Promise<void> {
    await this.#running;
    try {
      if (this.#failure === null) await this.#segment.file.sync();
    } catch (error) {
      this.#failure = diskFailure(error, 'closing the journal in', this.#home.dir);
    } finally {
      await this.#segment.file.close().finally(() => this.#home.lock?.release());
    }
  }
}

function framedBytes(records: readonly Uint8Array[]): number {
  return records.reduce((sum, record) => sum + frameHeaderBytes + record.byteLength, 0);
}

/** A callback that throws is a defect of its owner: it stays loud and does not stop the callbacks after it. */
function answer(done: Done, failure: Failure | null): void {
  try {
    if (failure === null) done();
    else done(failure);
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
