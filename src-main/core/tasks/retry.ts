import type { AttemptOutcome, TaskState } from '../../../shared/domain/task.ts';
import { assertNever } from '../../../shared/assert.ts';

/** Attempts of one task that could not start or deliver before it fails for good. */
export const brokenAttemptsMax = 20;

/**
 * Attempts of one task that may be lost with their machines before it fails for good: a task that brings down whatever
 * runs it would otherwise take every machine of the swarm, one after the other, for ever.
 */
export const lostAttemptsMax = 5;

/** Machines remembered per task as ones it failed on. */
export const avoidedMachinesMax = 16;

/** What follows from the end of an attempt. */
export interface Verdict {
  /** How the attempt itself is shown. */
  readonly attempt: TaskState;
  /** Where its task goes. */
  readonly task: TaskState;
  /** In words, for the task. */
  readonly reason: string;
  readonly usesRetry: boolean;
  readonly isBroken: boolean;
  /** Another machine first, next time. */
  readonly avoidMachine: boolean;
  /** Never there again for this job. */
  readonly excludeMachine: boolean;
}

/** What a task has behind it, this attempt not counted. */
export interface Past {
  readonly failures: number;
  readonly broken: number;
  readonly retries: number;
}

const nothing = { usesRetry: false, isBroken: false, avoidMachine: false, excludeMachine: false };

export function judge(outcome: AttemptOutcome, past: Past): Verdict {
  switch (outcome.type) {
    case 'exited':
      return outcome.exitCode === 0
        ? { ...nothing, attempt: 'succeeded', task: 'succeeded', reason: '' }
        : failed('failed', `exit code ${outcome.exitCode}`, past);
    case 'signalled':
      return failed('failed', `ended by signal ${outcome.signal}`, past);
    case 'timed-out':
      return failed('timed-out', 'ran longer than its time limit', past);
    case 'cancelled':
      return { ...nothing, attempt: 'cancelled', task: 'cancelled', reason: 'stopped on the machine that ran it' };
    case 'rejected':
      return {
        ...nothing,
        attempt: 'rejected',
        task: 'waiting',
        reason: `refused by a machine's owner: ${outcome.reason}`,
        excludeMachine: true,
      };
    case 'broken':
      return broken(outcome.reason, outcome.retryable, past);
    default:
      return assertNever(outcome);
  }
}

function failed(state: 'failed' | 'timed-out', what: string, { failures, retries }: Past): Verdict {
  const again = failures < retries;
  const used = Math.min(failures, retries);
  const left = retries - used - 1;
  const reason = again
    ? `${what}; waits for another attempt, ${left} of ${retries} retries left after it`
    : retries === 0
      ? what
      : `${what}; all ${retries} retries are used up`;
  return { ...nothing, attempt: state, task: again ? 'waiting' : state, reason, usesRetry: true, avoidMachine: true };
}

function broken(reason: string, retryable: boolean, past: Past): Verdict {
  const count = past.broken + 1;
  const again = retryable && count < brokenAttemptsMax;
  const words = !retryable
    ? reason
    : again
      ? `${reason}; goes elsewhere first`
      : `${reason}; gave up after ${count} attempts that could not start or deliver`;
  return {
    ...nothing,
    attempt: 'failed',
    task: again ? 'waiting' : 'failed',
    reason: words,
    isBroken: true,
    avoidMachine: true,
  };
}

/** Where a task goes whose attempt ended with its machine. `lost` counts such ends, this one included. */
export function judgeLoss(
  attempt: number,
  lost: number,
): { readonly task: 'waiting' | 'failed'; readonly reason: string } {
  if (lost < lostAttemptsMax) {
    const count = lost <= 1 ? '' : ` (${lost} of at most ${lostAttemptsMax})`;
    return { task: 'waiting', reason: `attempt ${attempt} was lost with its machine${count}; waits for another` };
  }
  return {
    task: 'failed',
    reason: `${lost} attempts were lost with their machines: it may be what brings them down, so it is not run again by itself`,
  };
}
