import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Failure, Result } from '../../../shared/domain/failure.ts';
import { jobId } from '../../../shared/domain/ids.ts';
import type { FencingToken, JobId, LockName, NodeId, SessionId, WallTime } from '../../../shared/domain/ids.ts';
import type { TaskState } from '../../../shared/domain/task.ts';
import { finalTaskStates } from '../../../shared/domain/task.ts';
import { jobsMax } from '../machine/limits.ts';
import { chargeVerdict, patchLatest, rememberAttempt } from './attempts.ts';
import type { Assignment, AttemptProgress, AttemptResult, TaskCommand } from './commands.ts';
import { isCurrent, keyOf, liveAttemptOf, liveTaskStates } from './job.ts';
import type { Job, LiveAttempt, MutableJob, MutableTask, Task } from './job.ts';
import { advanceCursor, createJob, moveTask, setUntouched, taskOf, tasksInState, touch } from './job-record.ts';
import { LiveAttempts } from './live-attempts.ts';
import { judge, judgeLoss } from './retry.ts';
import { checkJob } from './submission.ts';

type Submission = Extract<TaskCommand, { type: 'job-submitted' }>;

/** Tasks something happened to that are remembered over all jobs; the oldest finished jobs go when more arrive. */
export const touchedTasksMax = 300_000;

/** An attempt that is over, and the state it ended in. */
export interface EndedAttempt {
  readonly attempt: LiveAttempt;
  readonly state: TaskState;
}

/** Tasks a person's command changed, and the live attempts that it ended. */
export interface TasksChanged {
  readonly count: number;
  readonly ended: readonly EndedAttempt[];
}

const progressOrder: readonly TaskState[] = ['assigned', 'fetching', 'running', 'uploading'];

/**
 * Jobs, their tasks and attempts. A task has at most one live attempt; only a report that carries its token and comes
 * from its session changes it. Tasks that nothing has happened to cost nothing.
 */
export class TaskTable {
  readonly #jobs = new Map<JobId, MutableJob>();
  readonly #live = new LiveAttempts();
  #nextJob = 1;
  #touched = 0;

  /** Newest first. */
  jobs(): readonly Job[] {
    return [...this.#jobs.values()].reverse();
  }

  job(id: JobId): Job | null {
    return this.#jobs.get(id) ?? null;
  }

  /** The number the next accepted job gets. */
  get nextJob(): JobId {
    return jobId(this.#nextJob);
  }

  task(id: JobId, index: number): Task | null {
    const job = this.#jobs.get(id);
    return job === undefined ? null : taskOf(job, index);
  }

  /** Part of a job's tasks in index order, and how many there are with that filter. */
  tasksPage(
    id: JobId,
    offset: number,
    limit: number,
    state: TaskState | null = null,
  ): { readonly tasks: readonly Task[]; readonly total: number } {
    const job = this.#jobs.get(id);
    return job === undefined ? { tasks: [], total: 0 } : tasksInState(job, offset, limit, state);
  }

  /** Unfinished jobs that have waiting tasks, oldest first: the lists placement draws from. */
  *waitingJobs(): IterableIterator<MutableJob> {
    for (const job of this.#jobs.values()) if (job.counts.waiting > 0) yield job;
  }

  runningOn(node: NodeId): readonly LiveAttempt[] {
    return this.#live.onNode(node);
  }

  attemptsOfSession(session: SessionId): readonly LiveAttempt[] {
    return this.#live.ofSession(session);
  }

  slotsUsed(node: NodeId): number {
    return this.#live.slotsOnNode(node);
  }

  slotsUsedBySession(session: SessionId): number {
    return this.#live.slotsOfSession(session);
  }

  /** How many live attempts belong to jobs that ask for this lock. */
  attemptsUnder(lock: LockName): number {
    return this.#live.attemptsUnder(lock);
  }

  /** Whether that attempt is live in this session. */
  isLive(session: SessionId, id: JobId, index: number, attempt: number): boolean {
    const task = this.#jobs.get(id)?.touched.get(index);
    const live = task === undefined ? null : liveAttemptOf(task);
    return live !== null && live.number === attempt && live.session === session;
  }

  /** Numbers a new job. `removed`: finished jobs that had to go for it. Fails as `bad-input` or `limit-reached`. */
  submit(command: Submission, at: WallTime): Result<{ readonly job: JobId; readonly removed: readonly JobId[] }> {
    const problem = checkJob(command);
    if (problem !== null) return { ok: false, failure: problem };
    const removed: JobId[] = [];
    while (this.#jobs.size >= jobsMax || this.#touched > touchedTasksMax) {
      const oldest = this.#oldestFinished();
      if (oldest === null) break;
      this.#jobs.delete(oldest.id);
      this.#touched -= oldest.touched.size;
      removed.push(oldest.id);
    }
    if (this.#jobs.size >= jobsMax) {
      return fail('limit-reached', `${jobsMax} jobs are unfinished`, 'Wait until some end, or cancel some.');
    }
    const id = this.nextJob;
    this.#nextJob += 1;
    this.#jobs.set(id, createJob(id, command, at));
    return ok({ job: id, removed });
  }

  /** Starts an attempt, or answers null when the assignment does not fit the task as it is now. */
  assign(assignment: Assignment, slotsFree: number, token: FencingToken, at: WallTime): LiveAttempt | null {
    const { node, session, reason, attempt: number } = assignment;
    const job = this.#jobs.get(assignment.job);
    if (job === undefined || taskOf(job, assignment.index)?.state !== 'waiting') return null;
    const { lock, on, slots } = job.spec;
    if (slots > slotsFree || (on !== null && on !== node)) return null;
    if (lock !== null && this.#live.attemptsUnder(lock) > 0) return null;
    const known = job.touched.get(assignment.index);
    if (number !== (known?.attemptCount ?? 0) + 1) return null;
    const task = this.#touch(job, assignment.index);
    rememberAttempt(task, {
      number,
      node,
      session,
      token,
      assignedAt: at,
      startedAt: null,
      endedAt: null,
      state: 'assigned',
      outcome: null,
      reason,
    });
    task.reason = '';
    moveTask(job, task, 'assigned', at);
    if (number > 1) job.extraAttempts += 1;
    job.where.add(node);
    return this.#track(job, task);
  }

  /** Notes how far an attempt has come; going back changes nothing. False: it is not the task's live attempt. */
  progress(session: SessionId, change: AttemptProgress, at: WallTime): boolean {
    const job = this.#jobs.get(change.job);
    const task = job?.touched.get(change.index);
    if (job === undefined || task === undefined || !isCurrent(task, change, session)) return false;
    if (progressOrder.indexOf(change.state) <= progressOrder.indexOf(task.state)) return true;
    const starts = change.state === 'running';
    patchLatest(task, (latest) => ({
      ...latest,
      state: change.state,
      startedAt: starts ? at : latest.startedAt,
    }));
    moveTask(job, task, change.state, at);
    return true;
  }

  /** Accepts a result, once; null when it is stale: then nothing but the job's count of refused results changes. */
  finish(session: SessionId, result: AttemptResult, at: WallTime): EndedAttempt | null {
    const job = this.#jobs.get(result.job);
    if (job === undefined) return null;
    const task = job.touched.get(result.index);
    if (task === undefined || !isCurrent(task, result, session)) {
      job.refusedResults += 1;
      return null;
    }
    const { failures, broken } = task;
    const verdict = judge(result.outcome, { failures, broken, retries: job.spec.retries });
    const ended = this.#end(job, task, verdict.attempt, at);
    patchLatest(task, (latest) => ({ ...latest, outcome: result.outcome }));
    if (ended !== null) chargeVerdict(job, task, ended.attempt.node, verdict);
    if (verdict.task === 'succeeded') task.outputs = result.outputs;
    task.reason = verdict.reason;
    moveTask(job, task, verdict.task, at);
    return ended;
  }

  /**
   * A session is over: its attempts are lost. Their tasks wait again without using up a retry, until too many were
   * lost. `orderly`: the machine said goodbye, which no task can be blamed for.
   */
  loseSession(session: SessionId, orderly: boolean, at: WallTime): readonly EndedAttempt[] {
    return this.#live.ofSession(session).flatMap(({ key }) => {
      const job = this.#jobs.get(key.job);
      const task = job?.touched.get(key.index);
      if (job === undefined || task === undefined) return [];
      const ended = this.#end(job, task, 'lost', at);
      if (!orderly) task.lost += 1;
      const verdict = judgeLoss(key.attempt, task.lost);
      task.reason = verdict.reason;
      moveTask(job, task, verdict.task, at);
      return ended ?? [];
    });
  }

  /** Cancels tasks that are not final. Fails as `not-found` or `bad-input`. */
  cancel(id: JobId, indices: readonly number[] | null, reason: string, at: WallTime): Result<TasksChanged> {
    const job = this.#jobs.get(id);
    if (job === undefined) return noSuchJob(id);
    const problem = checkIndices(job, indices);
    if (problem !== null) return { ok: false, failure: problem };
    const before = job.counts.cancelled;
    const ended: EndedAttempt[] = [];
    for (const index of indices ?? [...job.touched.keys()].sort((left, right) => left - right)) {
      const state = taskOf(job, index)?.state;
      if (state === undefined || finalTaskStates.has(state)) continue;
      const task = this.#touch(job, index);
      const over = this.#end(job, task, 'cancelled', at);
      if (over !== null) ended.push(over);
      task.reason = reason;
      moveTask(job, task, 'cancelled', at);
    }
    if (indices === null && job.untouched.state === 'waiting') setUntouched(job, 'cancelled', reason, at);
    return ok({ count: job.counts.cancelled - before, ended });
  }

  /** Lets final tasks wait again with all their retries. Fails as `not-found` or `bad-input`. */
  retry(id: JobId, indices: readonly number[] | null, by: string, at: WallTime): Result<TasksChanged> {
    const job = this.#jobs.get(id);
    if (job === undefined) return noSuchJob(id);
    const problem = checkIndices(job, indices);
    if (problem !== null) return { ok: false, failure: problem };
    const before = job.counts.waiting;
    const reason = `asked for again by ${by}`;
    for (const index of indices ?? [...job.touched.keys()].sort((left, right) => left - right)) {
      const state = taskOf(job, index)?.state;
      if (state === undefined || !finalTaskStates.has(state)) continue;
      if (indices === null && state === 'succeeded') continue;
      const task = this.#touch(job, index);
      Object.assign(task, { failures: 0, broken: 0, lost: 0, avoided: [], outputs: null, reason });
      moveTask(job, task, 'waiting', at);
    }
    if (indices === null && job.untouched.state === 'cancelled') setUntouched(job, 'waiting', reason, at);
    return ok({ count: job.counts.waiting - before, ended: [] });
  }

  /** A machine's owner changed whose work it runs: what it refused before may be asked again. */
  forgetRejections(node: NodeId): void {
    for (const job of this.#jobs.values()) job.rejectedBy.delete(node);
  }

  /** For whoever writes them down; not to be changed. */
  records(): IterableIterator<MutableJob> {
    return this.#jobs.values();
  }

  toSnapshot(): { readonly nextJob: number; readonly jobs: readonly MutableJob[] } {
    return { nextJob: this.#nextJob, jobs: [...this.#jobs.values()] };
  }

  /** Jobs in ascending order of their ids; takes them over. */
  static restore(nextJob: number, jobs: readonly MutableJob[]): TaskTable {
    const table = new TaskTable();
    table.#nextJob = nextJob;
    for (const job of jobs) {
      table.#jobs.set(job.id, job);
      table.#touched += job.touched.size;
      advanceCursor(job);
      for (const task of job.touched.values()) if (liveTaskStates.has(task.state)) table.#track(job, task);
    }
    return table;
  }

  #touch(job: MutableJob, index: number): MutableTask {
    const before = job.touched.size;
    const task = touch(job, index);
    this.#touched += job.touched.size - before;
    return task;
  }

  #track(job: MutableJob, task: MutableTask): LiveAttempt | null {
    const latest = liveAttemptOf(task);
    if (latest === null) return null;
    const { node, session } = latest;
    const live = { key: keyOf(task, latest), node, session, submitter: job.submitter, slots: job.spec.slots };
    this.#live.add(live, job.spec.lock);
    return live;
  }

  /** Closes the live attempt of a task, if it has one. The caller moves the task on. */
  #end(job: MutableJob, task: MutableTask, state: TaskState, at: WallTime): EndedAttempt | null {
    const latest = liveAttemptOf(task);
    const live = latest === null ? null : this.#live.remove(latest.session, task, job.spec.lock);
    if (live === null) return null;
    patchLatest(task, (attempt) => ({ ...attempt, state, endedAt: at }));
    return { attempt: live, state };
  }

  #oldestFinished(): MutableJob | null {
    for (const job of this.#jobs.values()) if (job.endedAt !== null) return job;
    return null;
  }
}

function checkIndices(job: MutableJob, indices: readonly number[] | null): Failure | null {
  const wrong = indices?.find((index) => !Number.isInteger(index) || index < 0 || index >= job.taskCount);
  if (wrong === undefined) return null;
  const range = `its tasks are ${job.id}.0 to ${job.id}.${job.taskCount - 1}`;
  return fail('bad-input', `job ${job.id} has no task ${wrong}: ${range}`, 'Name one of these.').failure;
}

const noSuchJob = (id: JobId): ReturnType<typeof fail> =>
  fail(
    'not-found',
    `there is no job ${id}`,
    'It may have been removed to make room. List the jobs to see which are there.',
  );
