import type { ContentHash, FencingToken, JobId, NodeId, SessionId, WallTime } from '../../../shared/domain/ids.ts';
import type { Attempt, JobSpec, TaskState } from '../../../shared/domain/task.ts';
import { taskStates } from '../../../shared/domain/task.ts';
import type { AttemptKey, OutputSummary } from './commands.ts';

/** How many tasks of a job are in each state; the sum is the job's task count. */
export type TaskCounts = Readonly<Record<TaskState, number>>;

/** A job as every node knows it. The object is live: read it, do not keep it. */
export interface Job {
  readonly id: JobId;
  readonly submitter: NodeId;
  readonly spec: JobSpec;
  readonly taskCount: number;
  /** Hash of its JobManifest. */
  readonly manifest: ContentHash;
  readonly submittedAt: WallTime;
  /** When its last task became final; null while one may still run. */
  readonly endedAt: WallTime | null;
  readonly state: TaskState;
  readonly counts: TaskCounts;
  /** Attempts beyond the first of each task. */
  readonly extraAttempts: number;
  /** Results that came with a stale token. */
  readonly refusedResults: number;
  /** Machines its tasks run or ran on. */
  readonly where: ReadonlySet<NodeId>;
  /** Machines whose owners refused it, each with the reason given. It is not placed there again. */
  readonly rejectedBy: ReadonlyMap<NodeId, string>;
}

/** A task as every node knows it. A task that nothing has happened to yet has no attempts and an empty reason. */
export interface Task {
  readonly job: JobId;
  readonly index: number;
  readonly state: TaskState;
  /** Why it stands as it stands, in words; empty when there is nothing to say. */
  readonly reason: string;
  /** The first and the latest ones, at most `attemptsKeptMax`, oldest first. */
  readonly attempts: readonly Attempt[];
  /** The number of its latest attempt; 0 before the first. */
  readonly attemptCount: number;
  /** Failed attempts that count against `retries`, since the last time a person asked. */
  readonly failures: number;
  /** Attempts that could not start or deliver, since the last time a person asked. */
  readonly broken: number;
  /** Attempts that ended with their machine, since the last time a person asked. */
  readonly lost: number;
  /** Machines it failed on: another one comes first. */
  readonly avoided: readonly NodeId[];
  /** What the accepted successful attempt brought back. */
  readonly outputs: OutputSummary | null;
}

/** An attempt that is live in the log. */
export interface LiveAttempt {
  readonly key: AttemptKey;
  readonly node: NodeId;
  readonly session: SessionId;
  readonly submitter: NodeId;
  readonly slots: number;
}

export interface MutableTask {
  readonly job: JobId;
  readonly index: number;
  state: TaskState;
  reason: string;
  attempts: Attempt[];
  attemptCount: number;
  failures: number;
  broken: number;
  lost: number;
  avoided: NodeId[];
  outputs: OutputSummary | null;
}

export interface MutableJob {
  readonly id: JobId;
  readonly submitter: NodeId;
  readonly spec: JobSpec;
  readonly taskCount: number;
  readonly manifest: ContentHash;
  readonly submittedAt: WallTime;
  endedAt: WallTime | null;
  state: TaskState;
  readonly counts: Record<TaskState, number>;
  extraAttempts: number;
  refusedResults: number;
  readonly where: Set<NodeId>;
  readonly rejectedBy: Map<NodeId, string>;
  /** Tasks that something has happened to. The others cost nothing: they are all in `untouched`. */
  readonly touched: Map<number, MutableTask>;
  untouched: { state: 'waiting' | 'cancelled'; reason: string };
  /** Every index below it is touched. */
  cursor: number;
  /** Touched tasks that wait, the one that waits longest first. */
  readonly waiting: Set<number>;
  /** Texts of blocks of tasks for the next snapshot, kept while nothing in them moves; null or absent: not known. */
  readonly rows: (string | null)[];
}

/** Tasks whose text for a snapshot is kept together. */
export const tasksPerBlock = 256;

/** A task of this block is about to change or has changed: its text is not known any more. */
export function forgetRows(job: MutableJob, index: number): void {
  job.rows[Math.floor(index / tasksPerBlock)] = null;
}

/** A task with a machine in one of these has a live attempt. */
export const liveTaskStates: ReadonlySet<TaskState> = new Set<TaskState>([
  'assigned',
  'fetching',
  'running',
  'uploading',
]);

export function emptyCounts(): Record<TaskState, number> {
  const counts: Partial<Record<TaskState, number>> = {};
  for (const state of taskStates) counts[state] = 0;
  return counts as Record<TaskState, number>;
}

/** Tasks that have a live attempt. */
export const liveCount = (counts: TaskCounts): number =>
  counts.assigned + counts.fetching + counts.running + counts.uploading;

/** One state for a whole job: what is furthest on while something runs, what is worst at the end. */
export function jobState(counts: TaskCounts): TaskState {
  const order = [
    'running',
    'uploading',
    'fetching',
    'assigned',
    'waiting',
    'failed',
    'timed-out',
    'cancelled',
  ] as const;
  return order.find((state) => counts[state] > 0) ?? 'succeeded';
}

/** The owner as which an attempt asks for locks; they end with it. */
export const attemptOwner = (job: JobId, index: number, attempt: number): string =>
  `attempt:${job}.${index}#${attempt}`;

/** The attempt a task runs now; null when it runs none. */
export function liveAttemptOf(task: Task): Attempt | null {
  return liveTaskStates.has(task.state) ? (task.attempts.at(-1) ?? null) : null;
}

/** Whether a report names the live attempt: same number, same token, same session. */
export function isCurrent(task: Task, key: AttemptKey, session: SessionId): boolean {
  const live = liveAttemptOf(task);
  return live !== null && live.number === key.attempt && live.token === key.token && live.session === session;
}

export const keyOf = (task: Task, attempt: { readonly number: number; readonly token: FencingToken }): AttemptKey => ({
  job: task.job,
  index: task.index,
  attempt: attempt.number,
  token: attempt.token,
});
