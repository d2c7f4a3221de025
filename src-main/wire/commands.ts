import type { Result } from '../../shared/domain/failure.ts';
import type { ContentHash, FencingToken, JobId, KvKey, WallTime } from '../../shared/domain/ids.ts';
import { jobPriorities, placementPolicies } from '../../shared/domain/task.ts';
import {
  jobSpecBytesMax,
  kvKeyCharsMax,
  kvStepsPerTransactionMax,
  kvValueBytesMax,
  locksPerRequestMax,
  membersMax,
  tasksPerCommandMax,
  tasksPerJobMax,
} from '../core/machine/limits.ts';
import { levelMax } from '../core/levels/feature-levels.ts';
import { rankPins, topBand } from '../core/ranks/rank-table.ts';
import type { LoggedRequest, Request } from '../core/state-machine/command.ts';
import { bool, decode, double, encode, hex, text, uint53, word, type Codec, type Infer, type Same } from './codec.ts';
import { list, message, nullable, optional, required, textRecord, union } from './composite.ts';
import { idCharsMax, lock, name, node, reason, session, slot } from './fields.ts';

/** The commands of the log: what clients and the coordinator ask of the state machine. The rules of `messages.ts` hold. */
const ownerCharsMax = 300;
const argumentsMax = 4_096;
const signalCharsMax = 32;

const owner = text(ownerCharsMax);
const token = uint53<FencingToken>();
const job = uint53<JobId>();
const hash = hex<ContentHash>(32);
const specText = text(jobSpecBytesMax);

const acceptPolicy = union('AcceptPolicy', 'from', {
  nobody: [1, message('Nobody', {})],
  everyone: [2, message('Everyone', {})],
  listed: [3, message('Listed', { members: list(1, node, membersMax) })],
});

const capacity = message('Capacity', {
  slots: required(1, uint53()),
  os: required(2, name),
  arch: required(3, name),
  memoryBytes: required(4, double()),
  accepts: required(5, acceptPolicy),
});

const jobSpec = message('JobSpec', {
  name: required(1, name),
  argv: list(2, specText, argumentsMax),
  env: required(3, textRecord({ key: specText, value: specText, countMax: argumentsMax })),
  outputs: list(4, specText, argumentsMax),
  lock: nullable(5, lock),
  retries: required(6, uint53()),
  timeoutMs: nullable(7, uint53()),
  on: nullable(8, node),
  policy: required(9, word(...placementPolicies)),
  slots: required(10, uint53()),
  priority: optional(11, word(...jobPriorities)),
});

const assignment = message('Assignment', {
  job: required(1, job),
  index: required(2, uint53()),
  attempt: required(3, uint53()),
  node: required(4, node),
  session: required(5, session),
  reason: required(6, reason),
});

const attemptKey = {
  job: required(1, job),
  index: required(2, uint53()),
  attempt: required(3, uint53()),
  token: required(4, token),
};

const attemptOutcome = union('AttemptOutcome', 'type', {
  exited: [1, message('Exited', { exitCode: required(1, double()) })],
  signalled: [2, message('Signalled', { signal: required(1, text(signalCharsMax)) })],
  'timed-out': [3, message('TimedOut', {})],
  cancelled: [4, message('Cancelled', {})],
  rejected: [5, message('Rejected', { reason: required(1, reason) })],
  broken: [
    6,
    message('Broken', { reason: required(1, reason), retryable: required(2, bool), exitCode: optional(3, double()) }),
  ],
});

const outputSummary = message('OutputSummary', {
  manifest: required(1, hash),
  fileCount: required(2, uint53()),
  bytes: required(3, uint53()),
});

const indices = message('Indices', { values: list(1, uint53(), tasksPerJobMax) });

/** A message of its own: `null` and the empty list say different things, and a bare repeated field has one spelling for both. */
const indexList: Codec<readonly number[]> = {
  ...indices,
  write: (writer, value) => indices.write(writer, { values: value }),
  read: (reader) => indices.read(reader).values,
};

const key = text<KvKey>(kvKeyCharsMax);
const value = text(kvValueBytesMax);
const sameOrNot = word('equal', 'not-equal');
const relation = word('equal', 'not-equal', 'less', 'greater');
const comparesRevision = { key: required(1, key), relation: required(2, relation), revision: required(3, slot) };

const kvCompare = union('KvCompare', 'type', {
  value: [
    1,
    message('KvCompareValue', { key: required(1, key), relation: required(2, sameOrNot), value: required(3, value) }),
  ],
  revision: [2, message('KvCompareRevision', comparesRevision)],
  created: [3, message('KvCompareCreated', comparesRevision)],
  version: [
    4,
    message('KvCompareVersion', {
      key: required(1, key),
      relation: required(2, relation),
      version: required(3, uint53()),
    }),
  ],
  lock: [5, message('KvCompareLock', { name: required(1, lock), token: required(2, token) })],
});

const kvOperation = union('KvOperation', 'type', {
  put: [1, message('KvPut', { key: required(1, key), value: required(2, value), session: nullable(3, session) })],
  delete: [2, message('KvDelete', { key: required(1, key) })],
  get: [3, message('KvGet', { key: required(1, key) })],
});

const lockMode = union('LockMode', 'type', {
  exclusive: [1, message('Exclusive', {})],
  shared: [2, message('Shared', {})],
  permit: [3, message('Permit', { permits: required(1, uint53()) })],
});

const command = union('Command', 'type', {
  'session-opened': [
    1,
    message('SessionOpened', {
      session: required(1, session),
      node: required(2, node),
      name: required(3, name),
      ttlMs: required(4, uint53()),
      capacity: required(5, capacity),
      program: optional(6, message('Program', { version: required(1, name), supports: required(2, uint53(levelMax)) })),
    }),
  ],
  'session-renewed': [2, message('SessionRenewed', { session: required(1, session), renewal: required(2, uint53()) })],
  'session-expired': [3, message('SessionExpired', { session: required(1, session), renewal: required(2, uint53()) })],
  'session-closed': [4, message('SessionClosed', { session: required(1, session) })],
  'capacity-changed': [
    5,
    message('CapacityChanged', { session: required(1, session), capacity: required(2, capacity) }),
  ],
  'lock-requested': [
    10,
    message('LockRequested', {
      name: required(1, lock),
      session: required(2, session),
      owner: required(3, owner),
      label: required(4, name),
      wait: required(5, bool),
    }),
  ],
  'lock-abandoned': [
    11,
    message('LockAbandoned', {
      name: required(1, lock),
      session: required(2, session),
      owner: required(3, owner),
    }),
  ],
  'lock-released': [
    12,
    message('LockReleased', { name: required(1, lock), session: required(2, session), token: required(3, token) }),
  ],
  'locks-requested': [
    14,
    message('LocksRequested', {
      session: required(1, session),
      owner: required(2, owner),
      label: required(3, name),
      wait: required(4, bool),
      wishes: list(
        5,
        message('LockWish', { name: required(1, lock), mode: required(2, lockMode) }),
        locksPerRequestMax,
      ),
      delayMs: required(6, uint53()),
      keeps: required(7, bool),
    }),
  ],
  'locks-released': [
    15,
    message('LocksReleased', {
      session: required(1, session),
      owner: required(2, owner),
      names: list(3, lock, locksPerRequestMax),
      token: required(4, token),
    }),
  ],
  'lock-downgraded': [
    16,
    message('LockDowngraded', {
      name: required(1, lock),
      session: required(2, session),
      owner: required(3, owner),
      token: required(4, token),
    }),
  ],
  'lock-delay-ended': [17, message('LockDelayEnded', { name: required(1, lock), since: required(2, slot) })],
  'lock-force-released': [
    13,
    message('LockForceReleased', {
      name: required(1, lock),
      expectedToken: required(2, token),
      by: required(3, name),
      reason: required(4, reason),
    }),
  ],
  'kv-transacted': [
    40,
    message('KvTransacted', {
      by: required(1, node),
      compares: list(2, kvCompare, kvStepsPerTransactionMax),
      thenOperations: list(3, kvOperation, kvStepsPerTransactionMax),
      elseOperations: list(4, kvOperation, kvStepsPerTransactionMax),
    }),
  ],
  'ranks-changed': [
    50,
    message('RanksChanged', {
      moves: list(1, message('RankMove', { node: required(1, node), band: required(2, uint53(topBand)) }), membersMax),
    }),
  ],
  'rank-pinned': [
    51,
    message('RankPinned', {
      node: required(1, node),
      pin: required(2, word(...rankPins)),
      by: required(3, name),
    }),
  ],
  'level-raised': [60, message('LevelRaised', { level: required(1, uint53(levelMax)) })],
  'job-submitted': [
    20,
    message('JobSubmitted', {
      submitter: required(1, node),
      spec: required(2, jobSpec),
      taskCount: required(3, uint53(tasksPerJobMax)),
      manifest: required(4, hash),
    }),
  ],
  'tasks-assigned': [21, message('TasksAssigned', { assignments: list(1, assignment, tasksPerCommandMax) })],
  'attempts-progressed': [
    22,
    message('AttemptsProgressed', {
      session: required(1, session),
      changes: list(
        2,
        message('AttemptProgress', { ...attemptKey, state: required(5, word('fetching', 'running', 'uploading')) }),
        tasksPerCommandMax,
      ),
    }),
  ],
  'attempts-finished': [
    23,
    message('AttemptsFinished', {
      session: required(1, session),
      results: list(
        2,
        message('AttemptResult', {
          ...attemptKey,
          outcome: required(5, attemptOutcome),
          outputs: nullable(6, outputSummary),
        }),
        tasksPerCommandMax,
      ),
    }),
  ],
  'tasks-cancelled': [
    24,
    message('TasksCancelled', {
      job: required(1, job),
      indices: nullable(2, indexList),
      by: required(3, name),
      reason: required(4, reason),
    }),
  ],
  'tasks-retried': [
    25,
    message('TasksRetried', {
      job: required(1, job),
      indices: nullable(2, indexList),
      by: required(3, name),
    }),
  ],
});

export const request = message('Request', {
  client: required(1, text(idCharsMax)),
  sequence: required(2, uint53()),
  answeredBelow: required(3, uint53()),
  command: required(4, command),
});

export const loggedRequest = message('LoggedRequest', {
  request: required(1, request),
  at: required(2, double<WallTime>()),
});

/**
 * A request as every other node will read it. Passing it through the bytes once, where it starts, refuses what is
 * out of bounds before it leaves and makes sure that its origin applies the very value that all others apply.
 */
export function normalised(value: Request): Result<Request> {
  let bytes: Uint8Array;
  try {
    bytes = encode(request, value);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return {
      ok: false,
      failure: { code: 'bad-input', message: `The request cannot be sent: ${message}`, hint: 'Make it smaller.' },
    };
  }
  return decode(request, bytes);
}

true satisfies Same<Infer<typeof loggedRequest>, LoggedRequest>;
