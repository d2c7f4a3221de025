import { randomInt } from 'node:crypto';
import { wallTime } from '../../../shared/domain/ids.ts';
import { instant } from '../../core/machine/time.ts';
import type { Clock } from '../../ports/clock.ts';

/** The runtime fires longer timers at once; a longer wait is cut into several. */
const timerMsMax = 2_000_000_000;

/** Waits longer than this may take a millisecond more. */
const patientMs = 20;

function setTimer(afterMs: number, fire: () => void): () => void {
  const until = performance.now() + afterMs;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const leftMs = until - performance.now();
    // Timers may fire a fraction of a millisecond early; the port promises "no earlier". A millisecond more, where
    // nobody minds it, saves waking up twice.
    const spareMs = leftMs > patientMs ? 1 : 0;
    timer = setTimeout(
      () => (performance.now() < until ? wait() : fire()),
      Math.min(Math.max(1, Math.ceil(leftMs) + spareMs), timerMsMax),
    );
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}

/** This machine's clocks. Timers keep no process alive: who wants to stay says so elsewhere. */
export const systemClock: Clock = {
  now: () => instant(performance.now()),
  wall: () => wallTime(Date.now()),
  setTimer,
};

/** A seed nobody can guess, 0 … 2^48 - 1. */
export function systemSeed(): number {
  return randomInt(2 ** 48 - 1);
}
