import type { ContentHash, FencingToken, NodeId, SessionId, WallTime } from '../../../shared/domain/ids.ts';
import { taskStates } from '../../../shared/domain/task.ts';
import type { Attempt, AttemptOutcome, TaskState } from '../../../shared/domain/task.ts';
import { tasksPerBlock } from '../tasks/job.ts';
import type { MutableJob, MutableTask } from '../tasks/job.ts';
import { branded, isCount, isNumber, isText, listOf, oneOf, orNull, tupleOf } from './shape.ts';
import type { Shape } from './shape.ts';
import { outcomeShape, type TaskSnapshot } from './snapshot-shapes.ts';

/**
 * Tasks are most of a large state, so they stand in the snapshot as rows without names, in an order of their own:
 * a quarter of the text, and a tenth of the time, of objects with sorted keys.
 */
type AttemptRow = readonly [
  number: number,
  node: NodeId,
  /** What follows the node's name where it begins with that, as it always does; else the whole. */
  session: string,
  token: FencingToken,
  assignedAt: WallTime,
  startedAt: WallTime | null,
  endedAt: WallTime | null,
  state: TaskState,
  outcome: AttemptOutcome | null,
  reason: string,
];

type OutputsRow = readonly [manifest: ContentHash, fileCount: number, bytes: number];

type TaskRow = readonly [
  index: number,
  state: TaskState,
  reason: string,
  attemptCount: number,
  failures: number,
  broken: number,
  lost: number,
  avoided: readonly NodeId[],
  outputs: OutputsRow | null,
  attempts: readonly AttemptRow[],
];

/** The rows of all jobs as JSON text: a list per job, in the order given, each by index. */
export function rowsText(jobs: readonly MutableJob[]): string {
  return `[${jobs.map(jobRowsText).join(',')}]`;
}

/**
 * Works out up to `blocksMax` texts that the next snapshot will ask for, so that it finds most of them done: the texts
 * of a hundred thousand tasks at once would keep heartbeats waiting. Answers how many were missing.
 */
export function prepareRows(jobs: Iterable<MutableJob>, blocksMax: number): number {
  let done = 0;
  for (const job of jobs) {
    for (let block = 0; block < job.rows.length && done < blocksMax; block++) {
      // Absent: nothing there has ever moved, or all of it came with a snapshot.
      if (job.rows[block] !== null) continue;
      blockText(job, block);
      done += 1;
    }
    if (done >= blocksMax) break;
  }
  return done;
}

function jobRowsText(job: MutableJob): string {
  if (job.touched.size === 0) return '[]';
  const texts: string[] = [];
  for (let block = 0; block * tasksPerBlock < job.taskCount; block++) {
    const text = blockText(job, block);
    if (text !== '') texts.push(text);
  }
  return `[${texts.join(',')}]`;
}

function blockText(job: MutableJob, block: number): string {
  const known = job.rows[block];
  if (known !== undefined && known !== null) return known;
  const rows: TaskRow[] = [];
  const end = Math.min(job.taskCount, (block + 1) * tasksPerBlock);
  for (let index = block * tasksPerBlock; index < end; index++) {
    const task = job.touched.get(index);
    if (task !== undefined) rows.push(taskRow(task));
  }
  const text = JSON.stringify(rows).slice(1, -1);
  job.rows[block] = text;
  return text;
}

export function taskRow(task: MutableTask): TaskRow {
  const { index, state, reason, attemptCount, failures, broken, lost, avoided, outputs } = task;
  return [
    index,
    state,
    reason,
    attemptCount,
    failures,
    broken,
    lost,
    avoided,
    outputs === null ? null : [outputs.manifest, outputs.fileCount, outputs.bytes],
    task.attempts.map(attemptRow),
  ];
}

function attemptRow(attempt: Attempt): AttemptRow {
  const { number, node, session, token, assignedAt, startedAt, endedAt, state, outcome, reason } = attempt;
  const own = session.startsWith(node) ? session.slice(node.length) : session;
  return [number, node, own, token, assignedAt, startedAt, endedAt, state, outcomeOf(outcome), reason];
}

/** With its fields in one order, whoever decoded it: equal states must give equal texts. */
function outcomeOf(outcome: AttemptOutcome | null): AttemptOutcome | null {
  switch (outcome?.type) {
    case 'exited':
      return { type: 'exited', exitCode: outcome.exitCode };
    case 'signalled':
      return { type: 'signalled', signal: outcome.signal };
    case 'rejected':
      return { type: 'rejected', reason: outcome.reason };
    case 'broken':
      return { type: 'broken', reason: outcome.reason, retryable: outcome.retryable };
    case 'timed-out':
    case 'cancelled':
      return { type: outcome.type };
    case undefined:
      return null;
  }
}

const isNode = branded<NodeId>(isText);
const isTime = branded<WallTime>(isNumber);
const isTaskState: Shape<TaskState> = oneOf(taskStates);

const attemptRowShape = tupleOf<AttemptRow>(
  isCount,
  isNode,
  isText,
  branded<FencingToken>(isCount),
  isTime,
  orNull(isTime),
  orNull(isTime),
  isTaskState,
  orNull(outcomeShape),
  isText,
);

const taskRowShape = tupleOf<TaskRow>(
  isCount,
  isTaskState,
  isText,
  isCount,
  isCount,
  isCount,
  isCount,
  listOf(isNode),
  orNull(tupleOf<OutputsRow>(branded<ContentHash>(isText), isCount, isCount)),
  listOf(attemptRowShape),
);

export const rowsShape: Shape<readonly (readonly TaskRow[])[]> = listOf(listOf(taskRowShape));

/** A task from its row. */
export function taskFromRow(row: TaskRow): TaskSnapshot {
  const [index, state, reason, attemptCount, failures, broken, lost, avoided, outputs, attempts] = row;
  return {
    ...{ index, state, reason, attemptCount, failures, broken, lost },
    avoided: [...avoided],
    outputs: outputs === null ? null : { manifest: outputs[0], fileCount: outputs[1], bytes: outputs[2] },
    attempts: attempts.map(attemptFromRow),
  };
}

function attemptFromRow(row: AttemptRow): Attempt {
  const [number, node, own, token, assignedAt, startedAt, endedAt, state, outcome, reason] = row;
  const session = (own.startsWith('#') ? `${node}${own}` : own) as SessionId;
  return { number, node, session, token, assignedAt, startedAt, endedAt, state, outcome, reason };
}
