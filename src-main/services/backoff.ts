import type { Clock } from '../ports/clock.ts';

export interface BackoffOptions {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly triesMax: number;
}

/** Resolves true after `waitMs`, false as soon as `signal` aborts. */
export function pause(clock: Clock, waitMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stop = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = clock.setTimer(waitMs, () => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Repeats `attempt` until it answers something other than null, doubling the wait between tries.
 * Null when the tries are used up or `signal` aborts.
 */
export async function withBackoff<Value>(
  clock: Clock,
  options: BackoffOptions,
  signal: AbortSignal,
  attempt: (tryNumber: number) => Promise<Value | null>,
): Promise<Value | null> {
  let waitMs = options.firstMs;
  for (let tryNumber = 1; tryNumber <= options.triesMax; tryNumber++) {
    if (signal.aborted) return null;
    const value = await attempt(tryNumber);
    if (value !== null) return value;
    if (tryNumber === options.triesMax || !(await pause(clock, waitMs, signal))) return null;
    waitMs = Math.min(2 * waitMs, options.longestMs);
  }
  return null;
}
