import type { JobId, NodeId, WallTime } from '../../../shared/domain/ids.ts';
import type { TaskState } from '../../../shared/domain/task.ts';
import type { TaskCommand } from './commands.ts';
import { emptyCounts, forgetRows, jobState, liveCount, tasksPerBlock } from './job.ts';
import type { Job, MutableJob, MutableTask, Task } from './job.ts';

export function createJob(
  id: JobId,
  command: Extract<TaskCommand, { type: 'job-submitted' }>,
  at: WallTime,
): MutableJob {
  const { submitter, spec, taskCount, manifest } = command;
  return {
    id,
    submitter,
    spec,
    taskCount,
    manifest,
    submittedAt: at,
    endedAt: null,
    state: 'waiting',
    counts: { ...emptyCounts(), waiting: taskCount },
    extraAttempts: 0,
    refusedResults: 0,
    where: new Set(),
    rejectedBy: new Map(),
    touched: new Map(),
    untouched: { state: 'waiting', reason: '' },
    cursor: 0,
    waiting: new Set(),
    rows: [],
  };
}

const untouchedCount = (job: MutableJob): number => job.taskCount - job.touched.size;

/** The task as it is, made up on the spot when nothing has happened to it; null when the job has no such index. */
export function taskOf(job: MutableJob, index: number): Task | null {
  const known = job.touched.get(index);
  if (known !== undefined) return known;
  return Number.isInteger(index) && index >= 0 && index < job.taskCount ? untouchedTask(job, index) : null;
}

/** The record of a task that something is about to happen to. The index must be one of the job's. */
export function touch(job: MutableJob, index: number): MutableTask {
  const known = job.touched.get(index);
  if (known !== undefined) return known;
  const task = untouchedTask(job, index);
  job.touched.set(index, task);
  forgetRows(job, index);
  if (task.state === 'waiting') job.waiting.add(index);
  advanceCursor(job);
  return task;
}

/** Moves a task to another state, after all else about it was changed, and keeps everything that is counted from states. */
export function moveTask(job: MutableJob, task: MutableTask, state: TaskState, at: WallTime): void {
  forgetRows(job, task.index);
  if (task.state === state) return;
  job.counts[task.state] -= 1;
  job.counts[state] += 1;
  if (task.state === 'waiting') job.waiting.delete(task.index);
  if (state === 'waiting') job.waiting.add(task.index);
  task.state = state;
  settle(job, at);
}

/** Moves every untouched task at once, at the cost of one. */
export function setUntouched(job: MutableJob, state: 'waiting' | 'cancelled', reason: string, at: WallTime): void {
  const count = untouchedCount(job);
  job.counts[job.untouched.state] -= count;
  job.counts[state] += count;
  job.untouched = { state, reason };
  settle(job, at);
}

/** Puts `cursor` on the first untouched index. Tasks are never untouched again, so all calls together walk once. */
export function advanceCursor(job: MutableJob): void {
  while (job.cursor < job.taskCount && job.touched.has(job.cursor)) job.cursor += 1;
}

/** A page of tasks in index order. Without a filter it costs the page; with one it costs the job at worst. */
export function tasksInState(
  job: MutableJob,
  offset: number,
  limit: number,
  state: TaskState | null,
): { readonly tasks: readonly Task[]; readonly total: number } {
  const tasks: Task[] = [];
  const total = state === null ? job.taskCount : job.counts[state];
  let seen = state === null ? Math.max(0, offset) : 0;
  for (let index = seen; index < job.taskCount && tasks.length < limit && seen < total; index++) {
    const present = job.touched.get(index)?.state ?? job.untouched.state;
    if (state !== null && present !== state) continue;
    seen += 1;
    if (seen > offset) tasks.push(job.touched.get(index) ?? untouchedTask(job, index));
  }
  return { tasks, total };
}

function settle(job: MutableJob, at: WallTime): void {
  const unfinished = job.counts.waiting + liveCount(job.counts);
  job.state = jobState(job.counts);
  job.endedAt = unfinished > 0 ? null : (job.endedAt ?? at);
}

const untouchedTask = (job: MutableJob, index: number): MutableTask => ({
  job: job.id,
  index,
  state: job.untouched.state,
  reason: job.untouched.reason,
  attempts: [],
  attemptCount: 0,
  failures: 0,
  broken: 0,
  lost: 0,
  avoided: [],
  outputs: null,
});

/** Tasks that wait: first those that wait again, longest first, then the untouched ones by index. */
export function* waitingTasks(job: MutableJob): Generator<Task, undefined> {
  for (const index of job.waiting) {
    const task = taskOf(job, index);
    if (task !== null) yield task;
  }
  if (job.untouched.state !== 'waiting') return;
  for (let index = job.cursor; index < job.taskCount; index++) {
    if (!job.touched.has(index)) yield untouchedTask(job, index);
  }
}

/** A job from its parts; everything that can be counted is counted again. */
export function recreateJob(
  parts: Omit<Job, 'state' | 'counts' | 'where' | 'rejectedBy'> & {
    readonly where: readonly NodeId[];
    readonly rejectedBy: readonly (readonly [NodeId, string])[];
    readonly untouched: { readonly state: 'waiting' | 'cancelled'; readonly reason: string };
    readonly waiting: readonly number[];
    readonly tasks: readonly MutableTask[];
  },
): MutableJob {
  const { id, submitter, spec, taskCount, manifest, submittedAt, endedAt, extraAttempts, refusedResults } = parts;
  const counts = emptyCounts();
  for (const task of parts.tasks) counts[task.state] += 1;
  counts[parts.untouched.state] += taskCount - parts.tasks.length;
  return {
    ...{ id, submitter, spec, taskCount, manifest, submittedAt, endedAt, extraAttempts, refusedResults },
    state: jobState(counts),
    counts,
    where: new Set(parts.where),
    rejectedBy: new Map(parts.rejectedBy),
    touched: new Map(parts.tasks.map((task) => [task.index, task])),
    untouched: { ...parts.untouched },
    cursor: 0,
    waiting: new Set(parts.waiting),
    rows: parts.tasks.length === 0 ? [] : Array.from({ length: Math.ceil(taskCount / tasksPerBlock) }, () => null),
  };
}
