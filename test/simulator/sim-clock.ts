import { wallTime } from '../../shared/domain/ids.ts';
import { instant } from '../../src-main/core/machine/time.ts';
import type { Clock } from '../../src-main/ports/clock.ts';
import type { EventQueue } from './event-queue.ts';

/** The wall clock of the simulated world at its beginning. */
const epochMs = 1_800_000_000_000;

/** The clocks of one machine: they drift, the wall clock jumps, and sleep stops the monotonic one on some systems. */
export class SimClock {
  readonly #queue: EventQueue;
  readonly #rate: number;
  readonly #stopsInSleep: boolean;
  #sleptMs = 0;
  #wallOffset = 0;
  #asleepUntil = 0;
  /** Timers that came due while the machine slept. */
  #overdue: (() => void)[] = [];

  constructor(queue: EventQueue, options: { readonly drift: number; readonly stopsInSleep: boolean }) {
    this.#queue = queue;
    this.#rate = 1 + options.drift;
    this.#stopsInSleep = options.stopsInSleep;
  }

  get asleep(): boolean {
    return this.#queue.now < this.#asleepUntil;
  }

  get asleepUntil(): number {
    return this.#asleepUntil;
  }

  sleep(forMs: number): void {
    this.#asleepUntil = this.#queue.now + forMs;
    if (this.#stopsInSleep) this.#sleptMs += forMs;
    const until = this.#asleepUntil;
    this.#queue.at(until, () => {
      if (this.#asleepUntil === until) this.#fireOverdue();
    });
  }

  wakeNow(): void {
    if (!this.asleep) return;
    if (this.#stopsInSleep) this.#sleptMs -= this.#asleepUntil - this.#queue.now;
    this.#asleepUntil = this.#queue.now;
    this.#fireOverdue();
  }

  /** A machine that wakes finds everything due at once, in the order in which it came due. */
  #fireOverdue(): void {
    const overdue = this.#overdue;
    this.#overdue = [];
    for (const run of overdue) this.#queue.after(0, run);
  }

  jump(byMs: number): void {
    this.#wallOffset += byMs;
  }

  /** The clock as one process of this machine sees it; `isAlive` says whether its timers still count. */
  forProcess(isAlive: () => boolean): Clock {
    return {
      now: () => instant((this.#queue.now - this.#sleptMs) * this.#rate),
      wall: () => wallTime(Math.floor(epochMs + this.#queue.now * this.#rate + this.#wallOffset)),
      setTimer: (afterMs, fire) => this.#setTimer(afterMs, fire, isAlive),
    };
  }

  #setTimer(afterMs: number, fire: () => void, isAlive: () => boolean): () => void {
    let cancelled = false;
    const run = (): void => {
      if (cancelled || !isAlive()) return;
      if (this.asleep) this.#overdue.push(run);
      else fire();
    };
    const cancel = this.#queue.after(Math.max(0.001, afterMs / this.#rate), run);
    return () => {
      cancelled = true;
      cancel();
    };
  }
}
