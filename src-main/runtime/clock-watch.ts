import type { WallTime } from '../../shared/domain/ids.ts';
import type { Instant } from '../core/machine/time.ts';
import type { Clock } from '../ports/clock.ts';

/** The two clocks may part by this much between looks before it counts as a jump. */
export const clockJumpMs = 2_000;

/** Between looks when nothing else happens. */
export const clockTickMs = 500;

/**
 * Notices that this machine slept, was stopped or had its clock set: the clocks moved apart, or no look was
 * possible for far longer than a tick. Asked before anything else is handled (docs/protocols/election.md, rule 5).
 */
export class ClockWatch {
  readonly #clock: Clock;
  #instant: Instant;
  #wall: WallTime;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#instant = clock.now();
    this.#wall = clock.wall();
  }

  /** Whether time was discontinuous since the last call. */
  look(): boolean {
    const instant = this.#clock.now();
    const wall = this.#clock.wall();
    const passedMs = instant - this.#instant;
    const apartMs = Math.abs(wall - this.#wall - passedMs);
    this.#instant = instant;
    this.#wall = wall;
    return apartMs > clockJumpMs || passedMs > clockTickMs + clockJumpMs;
  }
}
