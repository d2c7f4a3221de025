import { failureCodes } from '../../../shared/domain/failure.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import type {
  FencingToken,
  JobId,
  LockName,
  NodeId,
  SessionId,
  Slot,
  WallTime,
  ContentHash,
} from '../../../shared/domain/ids.ts';
import type { AcceptPolicy } from '../../../shared/domain/member.ts';
import { jobPriorities, placementPolicies, taskStates } from '../../../shared/domain/task.ts';
import type { Attempt, AttemptOutcome, JobSpec, TaskState } from '../../../shared/domain/task.ts';
import type { KvSnapshot } from '../kv/kv-store.ts';
import type { LevelSnapshot, MachineProgram } from '../levels/level-table.ts';
import type { Lock } from '../locks/records.ts';
import type { Session } from '../locks/sessions.ts';
import type { OutputSummary } from '../tasks/commands.ts';
import type { MutableTask } from '../tasks/job.ts';
import { formerLockShape, lockShape } from './lock-shapes.ts';
import type { FormerLock } from './lock-shapes.ts';
import { rankPins, type RankRecord } from '../ranks/rank-table.ts';
import { answerShape, kvShape } from './kv-shapes.ts';
import type { Capacity, CommandResult } from './command.ts';
import type { ClientSnapshot } from './dedupe.ts';
import {
  anyOf,
  branded,
  isCount,
  isFlag,
  isNumber,
  isText,
  listOf,
  objectOf,
  oneOf,
  optional,
  orNull,
  pairOf,
  textRecord,
} from './shape.ts';
import type { Shape } from './shape.ts';

/** A task as the snapshot holds it: its job is the one it stands in. */
export type TaskSnapshot = Omit<MutableTask, 'job'>;

export interface JobSnapshot {
  readonly id: JobId;
  readonly submitter: NodeId;
  readonly spec: JobSpec;
  readonly taskCount: number;
  readonly manifest: ContentHash;
  readonly submittedAt: WallTime;
  readonly endedAt: WallTime | null;
  readonly extraAttempts: number;
  readonly refusedResults: number;
  readonly where: readonly NodeId[];
  readonly rejectedBy: readonly (readonly [NodeId, string])[];
  readonly untouched: { readonly state: 'waiting' | 'cancelled'; readonly reason: string };
  /** In the order in which they wait. */
  readonly waiting: readonly number[];
  /** By index. */
  readonly tasks: readonly TaskSnapshot[];
}

export interface StateSnapshot {
  readonly version: 5;
  readonly sessions: readonly Session<Capacity>[];
  readonly locks: readonly (Lock | FormerLock)[];
  /** Absent in version 1. */
  readonly kv?: KvSnapshot | undefined;
  /** Absent in texts from before ranks were in the log. */
  readonly ranks?: readonly RankRecord[] | undefined;
  /** Absent before version 5. */
  readonly levels?: LevelSnapshot | undefined;
  readonly nextJob: number;
  readonly jobs: readonly JobSnapshot[];
  readonly clients: readonly ClientSnapshot[];
}

const isNode = branded<NodeId>(isText);
const isSession = branded<SessionId>(isText);
const isTime = branded<WallTime>(isNumber);
const isToken = branded<FencingToken>(isCount);
const isLockName = branded<LockName>(isText);
const isHash = branded<ContentHash>(isText);
const isJobId = branded<JobId>(isCount);
const isTaskState: Shape<TaskState> = oneOf(taskStates);

const isAcceptPolicy = anyOf<AcceptPolicy>(
  objectOf({ from: oneOf(['nobody']) }),
  objectOf({ from: oneOf(['everyone']) }),
  objectOf({ from: oneOf(['listed']), members: listOf(isNode) }),
);

const capacityShape = objectOf<Capacity>({
  slots: isCount,
  os: isText,
  arch: isText,
  memoryBytes: isNumber,
  accepts: isAcceptPolicy,
});

const sessionShape = objectOf<Session<Capacity>>({
  id: isSession,
  node: isNode,
  name: isText,
  ttlMs: isNumber,
  renewal: isCount,
  openedAt: isTime,
  capacity: capacityShape,
});

export const outcomeShape = anyOf<AttemptOutcome>(
  objectOf({ type: oneOf(['exited']), exitCode: isNumber }),
  objectOf({ type: oneOf(['signalled']), signal: isText }),
  objectOf({ type: oneOf(['timed-out']) }),
  objectOf({ type: oneOf(['cancelled']) }),
  objectOf({ type: oneOf(['rejected']), reason: isText }),
  objectOf({ type: oneOf(['broken']), reason: isText, retryable: isFlag, exitCode: optional(isNumber) }),
);

const attemptShape = objectOf<Attempt>({
  number: isCount,
  node: isNode,
  session: isSession,
  token: isToken,
  assignedAt: isTime,
  startedAt: orNull(isTime),
  endedAt: orNull(isTime),
  state: isTaskState,
  outcome: orNull(outcomeShape),
  reason: isText,
});

const taskShape = objectOf<TaskSnapshot>({
  index: isCount,
  state: isTaskState,
  reason: isText,
  attempts: listOf(attemptShape) as Shape<Attempt[]>,
  attemptCount: isCount,
  failures: isCount,
  broken: isCount,
  lost: isCount,
  avoided: listOf(isNode) as Shape<NodeId[]>,
  outputs: orNull(objectOf<OutputSummary>({ manifest: isHash, fileCount: isCount, bytes: isCount })),
});

const specShape = objectOf<JobSpec>({
  name: isText,
  argv: listOf(isText),
  env: textRecord,
  outputs: listOf(isText),
  lock: orNull(isLockName),
  retries: isCount,
  timeoutMs: orNull(isNumber),
  on: orNull(isNode),
  policy: oneOf(placementPolicies),
  slots: isCount,
  priority: optional(oneOf(jobPriorities)),
});

const jobShape = objectOf<JobSnapshot>({
  id: isJobId,
  submitter: isNode,
  spec: specShape,
  taskCount: isCount,
  manifest: isHash,
  submittedAt: isTime,
  endedAt: orNull(isTime),
  extraAttempts: isCount,
  refusedResults: isCount,
  where: listOf(isNode),
  rejectedBy: listOf(pairOf(isNode, isText)),
  untouched: objectOf<JobSnapshot['untouched']>({ state: oneOf(['waiting', 'cancelled']), reason: isText }),
  waiting: listOf(isCount),
  tasks: listOf(taskShape),
});

const resultShape = anyOf<CommandResult>(
  objectOf({ type: oneOf(['done']) }),
  objectOf({ type: oneOf(['job-accepted']), job: isJobId }),
  objectOf({ type: oneOf(['lock-granted']), token: isToken }),
  objectOf({ type: oneOf(['lock-waiting']), position: isCount }),
  objectOf({
    type: oneOf(['kv-transacted']),
    revision: branded<Slot>(isCount),
    succeeded: isFlag,
    answers: listOf(answerShape),
  }),
  objectOf({ type: oneOf(['tasks-changed']), count: isCount }),
  objectOf({
    type: oneOf(['refused']),
    failure: objectOf<Failure>({ code: oneOf(failureCodes), message: isText, hint: optional(isText) }),
  }),
);

const clientShape = objectOf<ClientSnapshot>({
  client: isText,
  lastSlot: branded<Slot>(isCount),
  answeredBelow: isCount,
  results: listOf(pairOf(isCount, resultShape)),
});

const rankShape = objectOf<RankRecord>({
  node: isNode,
  band: isCount,
  pin: oneOf(rankPins),
  movedAt: orNull(isTime),
});

const levelsShape = objectOf<LevelSnapshot>({
  level: isCount,
  machines: listOf(objectOf<MachineProgram>({ node: isNode, name: isText, version: isText, supports: isCount })),
});

export const stateShape = objectOf<Omit<StateSnapshot, 'version'>>({
  sessions: listOf(sessionShape),
  locks: listOf(anyOf<Lock | FormerLock>(lockShape, formerLockShape)),
  kv: optional(kvShape),
  ranks: optional(listOf(rankShape)),
  levels: optional(levelsShape),
  nextJob: isCount,
  jobs: listOf(jobShape),
  clients: listOf(clientShape),
});
