import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import { KvStore } from '../kv/kv-store.ts';
import { lowestLevel, supportedLevel } from '../levels/feature-levels.ts';
import { LevelTable } from '../levels/level-table.ts';
import { LockTable } from '../locks/lock-table.ts';
import { Sessions } from '../locks/sessions.ts';
import { tasksPerJobMax } from '../machine/limits.ts';
import { liveAttemptOf } from '../tasks/job.ts';
import type { MutableJob, MutableTask } from '../tasks/job.ts';
import { recreateJob } from '../tasks/job-record.ts';
import { RankTable } from '../ranks/rank-table.ts';
import { TaskTable } from '../tasks/task-table.ts';
import type { Capacity } from './command.ts';
import { ClientTable } from './dedupe.ts';
import { lockFrom } from './lock-shapes.ts';
import { rowsShape, rowsText, taskFromRow } from './snapshot-rows.ts';
import { stateShape } from './snapshot-shapes.ts';
import type { JobSnapshot, StateSnapshot, TaskSnapshot } from './snapshot-shapes.ts';
import { sortedText } from './sorted-text.ts';
import type { SwarmState } from './state.ts';

/**
 * Version 2 added keys and values, version 3 put the tasks in rows, version 4 has locks with several holders, version 5
 * feature levels; all are read.
 */
const snapshotVersion = 5;
const readVersions: readonly unknown[] = [1, 2, 3, 4, snapshotVersion];

/** The state as text. Two equal states give the same text, whatever order their records were decoded in. */
export function takeSnapshot(state: SwarmState): string {
  const { nextJob, jobs } = state.tasks.toSnapshot();
  const snapshot: StateSnapshot = {
    version: snapshotVersion,
    sessions: state.sessions.list(),
    locks: state.locks.toSnapshot(),
    kv: state.kv.toSnapshot(),
    ranks: state.ranks.toSnapshot(),
    levels: state.levels.toSnapshot(),
    nextJob,
    jobs: jobs.map(jobToSnapshot),
    clients: state.clients.toSnapshot(),
  };
  // The tasks last, as text that no further pass has to look at.
  return `${sortedText(snapshot).slice(0, -1)},"tasks":${rowsText(jobs)}}`;
}

/**
 * Reads what `takeSnapshot` wrote. Fails as `corrupt`, or as `unsupported-version` where its layout or its feature level is
 * above what this program supports; no text makes it throw.
 */
export function restoreSnapshot(text: string, supports = supportedLevel): Result<SwarmState> {
  const parsed = parse(text);
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  const version: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'version') : undefined;
  const level = levelIn(value) ?? lowestLevel;
  // A newer program may have written fields that this one would read past, and then not have.
  if (level > supports) {
    return fail(
      'unsupported-version',
      `the snapshot has feature level ${level}, this program supports levels up to ${supports}`,
      'Update this machine to the version the others run.',
    );
  }
  if (typeof version === 'number' && !readVersions.includes(version)) {
    return fail(
      'unsupported-version',
      `the snapshot has version ${version}, this program reads up to version ${snapshotVersion}`,
      'Update this machine to the version the others run.',
    );
  }
  if (!readVersions.includes(version) || !stateShape(value)) return corrupt('a field is missing or of the wrong kind');
  const filled = withTasks(value, Reflect.get(value, 'tasks'));
  return filled === null ? corrupt('the tasks are missing or of the wrong kind') : build(filled);
}

/** The feature level of a snapshot, in whatever layout; null when it does not say. */
export function snapshotLevel(text: string): number | null {
  const parsed = parse(text);
  return parsed.ok ? levelIn(parsed.value) : null;
}

function levelIn(snapshot: unknown): number | null {
  const levels: unknown = typeof snapshot === 'object' && snapshot !== null ? Reflect.get(snapshot, 'levels') : null;
  const level: unknown = typeof levels === 'object' && levels !== null ? Reflect.get(levels, 'level') : null;
  return typeof level === 'number' ? level : null;
}

/** Puts the rows of tasks into their jobs; a text of an earlier program has them there already. */
function withTasks(snapshot: Omit<StateSnapshot, 'version'>, rows: unknown): Omit<StateSnapshot, 'version'> | null {
  if (rows === undefined) return snapshot;
  if (!rowsShape(rows) || rows.length !== snapshot.jobs.length) return null;
  const jobs = snapshot.jobs.map((job, at) => ({ ...job, tasks: (rows[at] ?? []).map(taskFromRow) }));
  return { ...snapshot, jobs };
}

function build(snapshot: Omit<StateSnapshot, 'version'>): Result<SwarmState> {
  const sessions = new Sessions<Capacity>();
  for (const session of snapshot.sessions) {
    const opened = sessions.open(session);
    if (!opened.ok || opened.value !== null) return corrupt(`the machine of session ${session.id} has two of them`);
  }
  if (sessions.size !== snapshot.sessions.length) return corrupt('a session appears twice');
  const ids = new Set(snapshot.jobs.map((job) => job.id));
  const isOrdered = snapshot.jobs.every(
    (job, at) => (snapshot.jobs[at - 1]?.id ?? 0) < job.id && job.id < snapshot.nextJob,
  );
  if (ids.size !== snapshot.jobs.length || !isOrdered) return corrupt('job numbers are out of order');
  const jobs: MutableJob[] = [];
  for (const job of snapshot.jobs) {
    const problem = problemOf(job);
    if (problem !== null) return corrupt(problem);
    jobs.push(recreateJob({ ...job, tasks: job.tasks.map((task): MutableTask => ({ ...task, job: job.id })) }));
  }
  return ok({
    sessions,
    locks: LockTable.restore(snapshot.locks.map(lockFrom)),
    kv: snapshot.kv === undefined ? new KvStore() : KvStore.restore(snapshot.kv),
    ranks: RankTable.restore(snapshot.ranks ?? []),
    levels: snapshot.levels === undefined ? new LevelTable() : LevelTable.restore(snapshot.levels),
    tasks: TaskTable.restore(snapshot.nextJob, jobs),
    clients: ClientTable.restore(snapshot.clients),
  });
}

/** What cannot be so in a job that `apply` made. */
function problemOf(job: JobSnapshot): string | null {
  if (job.taskCount < 1 || job.taskCount > tasksPerJobMax) return `job ${job.id} has ${job.taskCount} tasks`;
  const indices = new Set(job.tasks.map((task) => task.index));
  if (indices.size !== job.tasks.length || job.tasks.some((task) => task.index >= job.taskCount)) {
    return `job ${job.id} has a task twice or one too many`;
  }
  const waiting = job.tasks.filter((task) => task.state === 'waiting').length;
  const listed = new Set(job.waiting);
  if (listed.size !== waiting || job.tasks.some((task) => task.state === 'waiting' && !listed.has(task.index))) {
    return `the waiting tasks of job ${job.id} are not the ones listed`;
  }
  const halfLive = job.tasks.find((task) => isLive(task) && liveAttemptOf({ ...task, job: job.id }) === null);
  return halfLive === undefined ? null : `task ${job.id}.${halfLive.index} is ${halfLive.state} without an attempt`;
}

const isLive = ({ state }: TaskSnapshot): boolean =>
  state === 'assigned' || state === 'fetching' || state === 'running' || state === 'uploading';

export function jobToSnapshot(job: MutableJob): JobSnapshot {
  const { id, submitter, spec, taskCount, manifest, submittedAt, endedAt, extraAttempts, refusedResults, untouched } =
    job;
  return {
    ...{ id, submitter, spec, taskCount, manifest, submittedAt, endedAt, extraAttempts, refusedResults, untouched },
    where: [...job.where],
    rejectedBy: [...job.rejectedBy],
    waiting: [...job.waiting],
    tasks: [],
  };
}

function parse(text: string): Result<unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return ok(value);
  } catch {
    return corrupt('it is not JSON');
  }
}

const corrupt = (what: string): ReturnType<typeof fail> =>
  fail('corrupt', `the snapshot cannot be read: ${what}`, 'Fetch a snapshot from another member.');
