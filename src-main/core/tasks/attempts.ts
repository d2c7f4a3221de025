import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Attempt } from '../../../shared/domain/task.ts';
import { attemptsKeptMax } from '../machine/limits.ts';
import type { MutableJob, MutableTask } from './job.ts';
import { avoidedMachinesMax } from './retry.ts';
import type { Verdict } from './retry.ts';

/** Notes on the task and its job what an attempt's end costs. */
export function chargeVerdict(job: MutableJob, task: MutableTask, node: NodeId, verdict: Verdict): void {
  if (verdict.usesRetry) task.failures += 1;
  if (verdict.isBroken) task.broken += 1;
  if (verdict.excludeMachine) job.rejectedBy.set(node, verdict.reason);
  if (!verdict.avoidMachine) return;
  task.avoided = [...task.avoided.filter((known) => known !== node), node].slice(-avoidedMachinesMax);
}

/** Keeps the first attempt and the latest ones. */
export function rememberAttempt(task: MutableTask, attempt: Attempt): void {
  task.attempts.push(attempt);
  task.attemptCount = attempt.number;
  if (task.attempts.length > attemptsKeptMax) task.attempts.splice(1, 1);
}

/** Replaces the latest attempt; a task without one stays as it is. */
export function patchLatest(task: MutableTask, patch: (latest: Attempt) => Attempt): void {
  const latest = task.attempts.at(-1);
  if (latest !== undefined) task.attempts[task.attempts.length - 1] = patch(latest);
}
