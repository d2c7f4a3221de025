import { fail } from '../../../shared/domain/failure.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import { holdersPerLockMax, lockDelayMaxMs, locksPerRequestMax } from '../machine/limits.ts';
import type { LockMode, LockWish } from './commands.ts';
import type { Lock } from './records.ts';

/** Permits of one semaphore: each takes a place among the holders. */
export const permitsMax = holdersPerLockMax;

/** Those whose places are taken: holders, and whoever lost the lock less than its delay ago. */
const placesOf = (lock: Lock): readonly LockMode[] => [
  ...lock.holders.map(({ mode }) => mode),
  ...lock.delays.map(({ holder }) => holder.mode),
];

/** Whether `mode` may come in beside everyone that has a place now; waiters are another matter. */
export function hasRoom(lock: Lock, mode: LockMode): boolean {
  const places = placesOf(lock);
  if (places.length >= holdersPerLockMax) return false;
  switch (mode.type) {
    case 'exclusive':
      return places.length === 0;
    case 'shared':
      return places.every(({ type }) => type === 'shared');
    case 'permit':
      return places.length < mode.permits && places.every(({ type }) => type === 'permit');
  }
}

/** Why a lock in use cannot be used in this way too, or null. */
export function kindProblem(lock: Lock, mode: LockMode): Failure | null {
  const [used] = [...placesOf(lock), ...lock.waiters.map((waiter) => waiter.mode)];
  if (used === undefined || kindOf(used) === kindOf(mode)) return null;
  return fail(
    'precondition-failed',
    `lock ${lock.name} is in use as ${kindOf(used)}, not as ${kindOf(mode)}`,
    'Everyone who uses a name must use it in the same way. Wait until it is free, or take another name.',
  ).failure;
}

const kindOf = (mode: LockMode): string =>
  mode.type === 'permit' ? `a semaphore of ${mode.permits}` : 'a lock for readers and writers';

/** What is wrong with a request whatever the state is, or null. */
export function wishProblem(wishes: readonly LockWish[], delayMs: number): Failure | null {
  if (wishes.length < 1 || wishes.length > locksPerRequestMax)
    return bad(`a request names 1 to ${locksPerRequestMax} locks`);
  if (new Set(wishes.map(({ name }) => name)).size !== wishes.length) return bad('a request names one lock twice');
  const wrong = wishes.find(({ mode }) => mode.type === 'permit' && !(mode.permits >= 1 && mode.permits <= permitsMax));
  if (wrong !== undefined) return bad(`a semaphore has 1 to ${permitsMax} permits`);
  return delayMs <= lockDelayMaxMs ? null : bad(`a lock delay is at most ${lockDelayMaxMs / 1_000} s`);
}

const bad = (message: string): Failure => fail('bad-input', message, 'Change the request.').failure;
