import { assertNever } from '../../shared/assert.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { AttemptOutcome } from '../../shared/domain/task.ts';
import type { Job, Task } from '../core/tasks/job.ts';

const signalsByExit: Readonly<Record<number, string>> = {
  126: 'the program may not be executed',
  127: 'the shell found no such program',
  130: 'interrupted',
  137: 'killed, probably out of memory',
  139: 'crashed with a memory fault',
  143: 'asked to end',
};

/** How an attempt ended, in words. */
export function outcomeWords(outcome: AttemptOutcome | null): string {
  if (outcome === null) return '';
  switch (outcome.type) {
    case 'exited': {
      const meaning = signalsByExit[outcome.exitCode];
      return outcome.exitCode === 0
        ? 'exit code 0'
        : `exit code ${outcome.exitCode}${meaning === undefined ? '' : `: ${meaning}`}`;
    }
    case 'signalled':
      return `ended by ${outcome.signal}`;
    case 'timed-out':
      return 'ran longer than its time limit';
    case 'cancelled':
      return 'cancelled';
    case 'rejected':
      return `refused: ${outcome.reason}`;
    case 'broken':
      return outcome.reason;
    default:
      return assertNever(outcome);
  }
}

/** Why a task stands as it stands, in one sentence; empty when it says all by itself. */
export function taskWords(task: Task, name: (node: NodeId) => string): string {
  const latest = task.attempts.at(-1);
  switch (task.state) {
    case 'assigned':
    case 'fetching':
    case 'running':
    case 'uploading':
      return latest === undefined ? task.reason : `${task.state} on ${name(latest.node)}: ${latest.reason}`;
    case 'succeeded':
      return latest === undefined ? '' : `succeeded on ${name(latest.node)}`;
    default:
      return (
        task.reason || (task.state === 'waiting' ? 'waiting for a machine' : outcomeWords(latest?.outcome ?? null))
      );
  }
}

/** One sentence for a whole job. `waiting` is why its waiting tasks wait, or empty. */
export function jobWords(job: Job, waiting: string): string {
  const { counts, taskCount } = job;
  const ended = counts.succeeded + counts.failed + counts.cancelled + counts['timed-out'];
  if (job.endedAt !== null) {
    if (counts.succeeded === taskCount) return taskCount === 1 ? 'succeeded' : `all ${taskCount} tasks succeeded`;
    const parts = [
      [counts.failed, 'failed'],
      [counts['timed-out'], 'timed out'],
      [counts.cancelled, 'cancelled'],
      [counts.succeeded, 'succeeded'],
    ] as const;
    return parts
      .filter(([count]) => count > 0)
      .map(([count, word]) => (taskCount === 1 ? word : `${count} ${word}`))
      .join(', ');
  }
  const live = counts.assigned + counts.fetching + counts.running + counts.uploading;
  if (live === 0 && counts.waiting > 0) return waiting || 'waiting for a machine';
  const progress = taskCount === 1 ? job.state : `${ended} of ${taskCount} done, ${live} at work`;
  return waiting === '' || counts.waiting === 0 ? progress : `${progress}; the others wait: ${waiting}`;
}
