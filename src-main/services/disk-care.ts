import type { Failure, Result } from '../../shared/domain/failure.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { SpaceReserve } from '../ports/space-reserve.ts';
import { bytesText, clockText } from './disk-words.ts';

/** Between looks at the free space while some is missing, and while all is well. */
const lookMs = 1_000;
const calmLookMs = 30_000;
/** A short-lived process sets nothing aside. */
const firstBuildMs = 10_000;
/** Waits between attempts to come back from a failed disk, doubling. */
const againMs = 250;
const againMsMax = 300_000;
/** Free space that lets a machine without a reserve go on. */
const leastNeededBytes = 1_024 * 1_024;

/**
 * `ready`: all is well. `low`: the disk was found full and the reserve given up, so that only what must be written
 * is. `full`: not even that went; nothing is written. `failed`: the disk or the journal on it cannot be relied on.
 */
export type DiskStanding = 'ready' | 'low' | 'full' | 'failed';

export interface DiskCareOptions {
  readonly reserve: SpaceReserve;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What `notice` answers may have changed. */
  readonly changed: () => void;
  /**
   * Starts the halted engine anew from its disk: as another voter with nothing remembered where a `suspect` reason is
   * given, otherwise as after a crash.
   */
  readonly restart: (suspect: Failure | null) => Promise<Result<null>>;
}

/**
 * What becomes of this machine when its disk is full or fails: it stops acknowledging first (that is the journal's
 * and the driver's part), then comes back by itself as soon as that is safe, and says so all the while.
 */
export class DiskCare {
  readonly #options: DiskCareOptions;
  readonly #listeners = new Set<(standing: DiskStanding) => void>();
  #standing: DiskStanding = 'ready';
  #failure: Failure | null = null;
  #suspect: Failure | null = null;
  #suspectAt: number | null = null;
  #haltedAt: number | null = null;
  #freeBytes = 0;
  #againMs = againMs;
  #cancel: (() => void) | null = null;
  #stopped = false;
  /** Counts halts, so that one during a restart is not taken for the past. */
  #haltCount = 0;

  constructor(options: DiskCareOptions) {
    this.#options = options;
  }

  get standing(): DiskStanding {
    return this.#standing;
  }

  /** The engine is stopped and shows what it knew. */
  get halts(): boolean {
    return this.#standing === 'full' || this.#standing === 'failed';
  }

  /** What is the matter and what to do about it, in a few sentences; empty when all is well. */
  notice(votes: boolean): string {
    const { folder } = this.#options.reserve;
    const space = `${bytesText(this.#freeBytes)} free, ${bytesText(this.#neededBytes)} needed`;
    const since = this.#haltedAt === null ? '' : ` of ${clockText(this.#haltedAt)}`;
    switch (this.#standing) {
      case 'low':
        return `The disk of ${folder} is full: ${space}. This machine takes no new work and does not coordinate; cancelling, releasing and cleaning up still go. Free some space there: it goes on by itself.`;
      case 'full':
        return `The disk of ${folder} is full: ${space}. This machine shows what it knew${since} and takes no part. Free some space there: it goes on by itself.`;
      case 'failed':
        return `${this.#failure?.code === 'corrupt' ? 'The record of this machine cannot be relied on' : 'The disk failed'}: ${sentence(this.#failure?.message ?? folder)} This machine shows what it knew${since} and acknowledges nothing. It tries to come back by itself; check the disk.`;
      case 'ready':
        if (this.#suspectAt === null || votes) return '';
        return `This machine came back at ${clockText(this.#suspectAt)} without its record of the log, because ${sentence(this.#suspect?.message ?? 'it could not be trusted')} It learns everything from the others and votes again once they choose it. Check the disk; what was put aside lies in ${folder}/suspect.`;
    }
  }

  /** Why a request that is not needed to make room is refused now; null while all is well. */
  refusal(): Failure | null {
    if (this.#standing === 'ready') return null;
    const code = this.#standing === 'failed' ? 'disk-failed' : 'disk-full';
    return { code, message: this.notice(false), hint: 'Free some space or mend the disk; nothing was begun.' };
  }

  onStanding(listener: (standing: DiskStanding) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#later(this.#options.reserve.held ? calmLookMs : firstBuildMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** For a write that found no space: gives the reserve up. Answers whether the write may be made again. */
  async makeRoom(): Promise<boolean> {
    const freed = await this.#options.reserve.release();
    await this.#measure();
    if (this.#standing === 'ready') {
      this.#become('low');
      this.#later(lookMs);
    }
    if (freed) this.#options.logger.warn('the disk is full; the space set aside was given up', this.#spaceFields());
    return freed;
  }

  /**
   * The engine has halted because of its journal. `onlyCopy`: nobody else has the log, so that coming back as another
   * voter would lose it; such a machine goes on from what its disk still says, or not at all.
   */
  halted(failure: Failure, onlyCopy: boolean): void {
    if (failure.code !== 'disk-full' && failure.code !== 'disk-failed' && failure.code !== 'corrupt') return;
    this.#haltCount += 1;
    this.#haltedAt = this.#options.clock.wall();
    this.#failure = failure;
    this.#suspect = failure.code === 'disk-full' || onlyCopy ? null : failure;
    this.#againMs = againMs;
    this.#become(failure.code === 'disk-full' ? 'full' : 'failed');
    this.#later(againMs);
  }

  /** The machine begins without its earlier log, as another voter. */
  cameBackSuspect(reason: Failure): void {
    this.#suspect = reason;
    this.#suspectAt = this.#options.clock.wall();
    this.#options.logger.error('the journal could not be trusted; this machine learns the log anew', { ...reason });
    this.#options.changed();
  }

  get #neededBytes(): number {
    return Math.max(2 * this.#options.reserve.bytes, leastNeededBytes);
  }

  #later(afterMs: number): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.setTimer(afterMs, () => {
      void this.#look().then((nextMs) => this.#later(nextMs));
    });
  }

  /** Answers when to look again, in milliseconds. */
  async #look(): Promise<number> {
    const before = this.#freeBytes;
    await this.#measure();
    if (before !== this.#freeBytes && this.#standing !== 'ready') this.#options.changed();
    const roomy = this.#freeBytes >= this.#neededBytes;
    switch (this.#standing) {
      case 'ready':
        if (roomy && !this.#options.reserve.held) await this.#build();
        return calmLookMs;
      case 'low':
        if (roomy && (await this.#build())) this.#become('ready');
        return lookMs;
      case 'full':
        if (roomy || (await this.#options.reserve.release())) await this.#restart('low');
        return lookMs;
      case 'failed':
        if (await this.#restart('ready')) return lookMs;
        this.#againMs = Math.min(2 * this.#againMs, againMsMax);
        return this.#againMs;
    }
  }

  async #restart(then: DiskStanding): Promise<boolean> {
    const suspect = this.#suspect;
    const halts = this.#haltCount;
    const restarted = await this.#options.restart(suspect);
    if (this.#stopped) return true;
    if (!restarted.ok) {
      this.#failure = restarted.failure;
      this.#options.logger.warn('the engine could not be started again', { ...restarted.failure });
      this.#options.changed();
      return false;
    }
    if (halts !== this.#haltCount) return false;
    this.#haltedAt = null;
    this.#become(then);
    return true;
  }

  async #build(): Promise<boolean> {
    const built = await this.#options.reserve.build();
    if (!built.ok) this.#options.logger.warn('no space could be set aside', { ...built.failure });
    return built.ok;
  }

  async #measure(): Promise<void> {
    const found = await this.#options.reserve.space();
    if (found.ok) this.#freeBytes = found.value.freeBytes;
  }

  #become(standing: DiskStanding): void {
    if (this.#standing === standing) return;
    this.#standing = standing;
    this.#options.logger.warn('the disk is now', { standing, ...this.#spaceFields() });
    for (const listener of this.#listeners) listener(standing);
    this.#options.changed();
  }

  #spaceFields(): Record<string, string | number> {
    return { folder: this.#options.reserve.folder, freeBytes: this.#freeBytes, neededBytes: this.#neededBytes };
  }
}

const sentence = (text: string): string => `${text.replace(/\.$/, '')}.`;
