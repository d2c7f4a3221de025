import type { Instant } from '../machine/time.ts';
import type { NodeTiming } from '../machine/timing.ts';

/** Bounds of the silence after which a coordinator is suspected, in milliseconds. */
export const suspectMinMs = 1_000;
export const suspectMaxMs = 5_000;

/** Pauses that must have been seen before they say more than the default does. */
const samplesNeeded = 8;

/** Weight of the newest pause in the running mean and variance. */
const newest = 1 / 16;

/** Standard deviations above the mean pause. */
const deviations = 4;

/** A timer of this node that fires so late shows that the node itself was slow, not its coordinator. */
export const lateMs = 500;

/** For how long a node that was slow doubts itself: ten signs of life must have found it on time. */
const doubtMs = 3_000;

/**
 * After how much silence a coordinator is suspected: the pauses between its signs of life are measured, and one that
 * is far outside of what is usual raises suspicion (Hayashibara et al. 2004, the phi accrual failure detector, here
 * as mean and deviation). A node that was itself late doubles its patience until it has been on time for a while: more often
 * than not, the others were fine (Dadgar et al. 2018, Lifeguard).
 */
export class Suspicion {
  readonly #timing: NodeTiming;
  #mean = 0;
  #variance = 0;
  #samples = 0;
  #heardAt: Instant | null = null;
  #doubtUntil: number | null = null;

  constructor(timing: NodeTiming) {
    this.#timing = timing;
  }

  /** A sign of life. Those in quick succession tell nothing about silence and are passed over. */
  heard(now: Instant): void {
    const pauseMs = this.#heardAt === null ? 0 : now - this.#heardAt;
    if (this.#heardAt !== null && pauseMs < this.#timing.heartbeatMs / 2) return;
    const first = this.#heardAt === null;
    this.#heardAt = now;
    if (first) return;
    // One very long pause is what this is about to detect, not what is usual.
    const sample = Math.min(pauseMs, suspectMaxMs);
    const off = sample - this.#mean;
    const weight = Math.max(newest, 1 / (this.#samples + 1));
    this.#mean += weight * off;
    this.#variance = (1 - weight) * (this.#variance + weight * off * off);
    this.#samples = Math.min(this.#samples + 1, samplesNeeded * 4);
  }

  /** Another coordinator: the pause until its first sign of life is not one of its pauses. */
  forget(): void {
    this.#heardAt = null;
    this.#mean = 0;
    this.#variance = 0;
    this.#samples = 0;
  }

  /** This node noticed that it was not running on time. */
  ranLate(now: Instant): void {
    this.#doubtUntil = now + doubtMs;
  }

  /** The silence that raises suspicion now. */
  afterMs(now: Instant): number {
    const { suspectMs } = this.#timing;
    const usual = this.#mean + deviations * Math.sqrt(this.#variance);
    // A shortened default, as tests use it, stays the lower bound.
    const atLeast = Math.min(suspectMs, suspectMinMs);
    const measured = this.#samples < samplesNeeded ? suspectMs : Math.min(suspectMaxMs, Math.max(atLeast, usual));
    const doubting = this.#doubtUntil !== null && now < this.#doubtUntil;
    return doubting ? 2 * measured : measured;
  }
}
