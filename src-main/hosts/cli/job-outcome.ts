import type { JobDetail } from '../../../shared/contract/tasks.ts';
import { finalTaskStates, type TaskState } from '../../../shared/domain/task.ts';
import { exitCodes } from './exit-codes.ts';

/** True when nothing of what was selected will run again by itself. */
export function isOver(detail: JobDetail, oneTask: boolean): boolean {
  return finalTaskStates.has(selectedState(detail, oneTask));
}

/** True while outputs are still on their way into their folder on this machine. */
export function isDelivering(detail: JobDetail): boolean {
  const { delivery } = detail.job;
  return delivery !== null && delivery.pending > 0 && delivery.error === '';
}

/** The state of the task selected, or of the whole job: one failed task fails a job. */
export function selectedState(detail: JobDetail, oneTask: boolean): TaskState {
  const { job, tasks } = detail;
  if (oneTask) return tasks[0]?.state ?? 'unknown';
  if (finalTaskStates.has(job.state) && job.counts.failed > 0 && job.state === 'succeeded') return 'failed';
  return job.state;
}

/** The exit code of `wait` and `--wait`. */
export function outcomeExitCode(detail: JobDetail, oneTask: boolean): number {
  const state = selectedState(detail, oneTask);
  if (state === 'cancelled') return exitCodes.taskCancelled;
  if (state === 'lost') return exitCodes.taskLost;
  if (state !== 'succeeded') return exitCodes.taskFailed;
  return detail.job.delivery !== null && detail.job.delivery.error !== '' ? exitCodes.error : exitCodes.done;
}

/** `81.3` selects one task, `81` and `last` a job. */
export const selectsOneTask = (selector: string): boolean => /^\d+\.\d+$/.test(selector);
