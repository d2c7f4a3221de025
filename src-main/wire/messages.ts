/**
 * Messages between nodes and entries of the log, in the protobuf wire format. Each table below is the layout:
 * field numbers, types and bounds; `describe(nodeMessage)` prints it as a .proto file. Numbers are never reused.
 *
 * The checks at the end make the compiler refuse a table that says something else than the types of the core.
 */
import { failureCodes, type Result } from '../../shared/domain/failure.ts';
import type {
  ContentHash,
  FencingToken,
  JobId,
  KvKey,
  LockName,
  NodeId,
  SessionId,
  Slot,
  WallTime,
} from '../../shared/domain/ids.ts';
import { placementPolicies } from '../../shared/domain/task.ts';
import {
  entriesPerMessageMax,
  jobSpecBytesMax,
  kvKeyCharsMax,
  kvStepsPerTransactionMax,
  kvValueBytesMax,
  locksPerRequestMax,
  membersMax,
  outstandingRequestsMax,
  reasonCharsMax,
  snapshotChunkCharsMax,
  tasksPerCommandMax,
  tasksPerJobMax,
  votesAheadMax,
} from '../core/machine/limits.ts';
import type { NodeMessage } from '../core/node/messages.ts';
import { rankPins, topBand } from '../core/ranks/rank-table.ts';
import type { LoggedRequest, Request } from '../core/state-machine/command.ts';
import { bool, decode, double, encode, hex, text, uint53, word, type Codec, type Infer } from './codec.ts';
import { list, message, nullable, optional, rememberedList, required, textRecord, union } from './composite.ts';
import { wideText } from './wide-text.ts';

const idCharsMax = 200;
const nameCharsMax = 200;
const messageCharsMax = 2_000;
const ownerCharsMax = 300;
const argumentsMax = 4_096;
const signalCharsMax = 32;
/** A voter configuration has 1, 3 or 5 seats; a little room keeps a later change readable. */
const votersMax = 16;
/** Forced new quorums in the life of a swarm. */
const cutsMax = 1_000;
const snapshotCharsMax = 1_024 * 1_024 * 1_024;

export const node = text<NodeId>(idCharsMax);
const session = text<SessionId>(idCharsMax);
const lock = text<LockName>(nameCharsMax);
const slot = uint53<Slot>();
const token = uint53<FencingToken>();
const job = uint53<JobId>();
const hash = hex<ContentHash>(32);
const reason = text(reasonCharsMax);
const specText = text(jobSpecBytesMax);

const failure = message('Failure', {
  code: required(1, word(...failureCodes)),
  message: required(2, text(messageCharsMax)),
  hint: optional(3, text(messageCharsMax)),
});

const acceptPolicy = union('AcceptPolicy', 'from', {
  nobody: [1, message('Nobody', {})],
  everyone: [2, message('Everyone', {})],
  listed: [3, message('Listed', { members: list(1, node, membersMax) })],
});

const capacity = message('Capacity', {
  slots: required(1, uint53()),
  os: required(2, text(nameCharsMax)),
  arch: required(3, text(nameCharsMax)),
  memoryBytes: required(4, double()),
  accepts: required(5, acceptPolicy),
});

const jobSpec = message('JobSpec', {
  name: required(1, text(nameCharsMax)),
  argv: list(2, specText, argumentsMax),
  env: required(3, textRecord({ key: specText, value: specText, countMax: argumentsMax })),
  outputs: list(4, specText, argumentsMax),
  lock: nullable(5, lock),
  retries: required(6, uint53()),
  timeoutMs: nullable(7, uint53()),
  on: nullable(8, node),
  policy: required(9, word(...placementPolicies)),
  slots: required(10, uint53()),
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
      name: required(3, text(nameCharsMax)),
      ttlMs: required(4, uint53()),
      capacity: required(5, capacity),
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
      owner: required(3, text(ownerCharsMax)),
      label: required(4, text(nameCharsMax)),
      wait: required(5, bool),
    }),
  ],
  'lock-abandoned': [
    11,
    message('LockAbandoned', {
      name: required(1, lock),
      session: required(2, session),
      owner: required(3, text(ownerCharsMax)),
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
      owner: required(2, text(ownerCharsMax)),
      label: required(3, text(nameCharsMax)),
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
      owner: required(2, text(ownerCharsMax)),
      names: list(3, lock, locksPerRequestMax),
      token: required(4, token),
    }),
  ],
  'lock-downgraded': [
    16,
    message('LockDowngraded', {
      name: required(1, lock),
      session: required(2, session),
      owner: required(3, text(ownerCharsMax)),
      token: required(4, token),
    }),
  ],
  'lock-delay-ended': [17, message('LockDelayEnded', { name: required(1, lock), since: required(2, slot) })],
  'lock-force-released': [
    13,
    message('LockForceReleased', {
      name: required(1, lock),
      expectedToken: required(2, token),
      by: required(3, text(nameCharsMax)),
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
      by: required(3, text(nameCharsMax)),
    }),
  ],
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
      by: required(3, text(nameCharsMax)),
      reason: required(4, reason),
    }),
  ],
  'tasks-retried': [
    25,
    message('TasksRetried', {
      job: required(1, job),
      indices: nullable(2, indexList),
      by: required(3, text(nameCharsMax)),
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

export const ballot = message('Ballot', {
  epoch: required(1, uint53()),
  config: required(2, uint53()),
  round: required(3, uint53()),
  rank: required(4, uint53()),
  voter: required(5, node),
});

const voter = message('Voter', {
  node: required(1, node),
  incarnation: required(2, text(nameCharsMax)),
  rank: required(3, uint53()),
});

export const voterConfig = message('VoterConfig', {
  epoch: required(1, uint53()),
  id: required(2, uint53()),
  firstSlot: required(3, slot),
  voters: list(4, voter, votersMax),
  cuts: list(5, message('EpochCut', { epoch: required(1, uint53()), lastSlot: required(2, slot) }), cutsMax),
});

const digest = hex(16);

export const logChain = message('LogChain', {
  version: required(1, uint53()),
  origin: required(2, slot),
  link: required(3, digest),
});

const checkpoint = message('Checkpoint', {
  epoch: required(1, uint53()),
  slot: required(2, slot),
  chain: required(3, logChain),
  state: required(4, digest),
});

export const entry = union('Entry', 'type', {
  payload: [1, message('Payload', { payload: required(1, loggedRequest) })],
  'no-op': [2, message('NoOp', {})],
  open: [3, message('Open', { ballot: required(1, ballot) })],
  'stop-sign': [4, message('StopSign', { voters: list(1, voter, votersMax) })],
});

const vote = message('Vote', { slot: required(1, slot), ballot: required(2, ballot), entry: required(3, entry) });
const attempt = { attempt: required(1, uint53()) };

export const nodeMessage = union('NodeMessage', 'type', {
  'pre-vote': [1, message('PreVote', attempt)],
  'pre-vote-answer': [2, message('PreVoteAnswer', { ...attempt, coordinatorAlive: required(2, bool) })],
  election: [3, message('Election', attempt)],
  answer: [4, message('Answer', { ...attempt, verdict: required(2, word('fit', 'not-fit', 'coordinator-alive')) })],
  prepare: [
    10,
    message('Prepare', { ballot: required(1, ballot), fromSlot: required(2, slot), leave: nullable(4, ballot) }),
  ],
  promise: [
    11,
    message('Promise', {
      ballot: required(1, ballot),
      committed: required(2, slot),
      votes: list(3, vote, votesAheadMax),
    }),
  ],
  refuse: [
    12,
    message('Refuse', {
      ballot: required(1, ballot),
      reason: required(2, word('lower-ballot', 'coordinator-alive', 'behind', 'stopped', 'not-a-voter')),
      promised: nullable(3, ballot),
      committed: required(4, slot),
    }),
  ],
  accept: [
    13,
    message('Accept', {
      ballot: required(1, ballot),
      firstSlot: required(2, slot),
      entries: rememberedList(3, entry, entriesPerMessageMax),
      committed: required(4, slot),
    }),
  ],
  accepted: [
    14,
    message('Accepted', { ballot: required(1, ballot), firstSlot: required(2, slot), lastSlot: required(3, slot) }),
  ],
  heartbeat: [
    15,
    message('Heartbeat', { ballot: required(1, ballot), committed: required(2, slot), beat: required(3, uint53()) }),
  ],
  'heartbeat-ack': [
    16,
    message('HeartbeatAck', {
      ballot: required(1, ballot),
      beat: required(2, uint53()),
      committed: required(3, slot),
      incarnation: required(4, text(nameCharsMax)),
      seated: required(5, bool),
    }),
  ],
  'learn-request': [17, message('LearnRequest', { fromSlot: required(1, slot) })],
  'learn-reply': [
    18,
    message('LearnReply', {
      firstSlot: required(1, slot),
      entries: list(2, entry, entriesPerMessageMax),
      committed: required(3, slot),
    }),
  ],
  'snapshot-part': [
    19,
    message('SnapshotPart', {
      slot: required(1, slot),
      config: required(2, voterConfig),
      offsetChars: required(3, uint53(snapshotCharsMax)),
      totalChars: required(4, uint53(snapshotCharsMax)),
      text: required(5, wideText(snapshotChunkCharsMax)),
      chain: nullable(6, logChain),
    }),
  ],
  'snapshot-request': [
    20,
    message('SnapshotRequest', { slot: required(1, slot), offsetChars: required(2, uint53(snapshotCharsMax)) }),
  ],
  'epoch-promise': [
    22,
    message('EpochPromise', {
      epoch: required(1, uint53()),
      committed: required(2, slot),
      votes: list(3, vote, votesAheadMax),
    }),
  ],
  departing: [21, message('Departing', { departure: nullable(1, word('leave', 'shutdown', 'suspend')) })],
  propose: [30, message('Propose', { requests: list(1, request, outstandingRequestsMax) })],
  'propose-refused': [
    31,
    message('ProposeRefused', {
      sequences: list(1, uint53(), outstandingRequestsMax),
      failure: required(2, failure),
      coordinator: nullable(3, node),
    }),
  ],
  'read-index': [40, message('ReadIndex', attempt)],
  'read-index-answer': [41, message('ReadIndexAnswer', { ...attempt, slot: nullable(2, slot) })],
  checkpoint: [50, message('CheckpointReport', { checkpoint: required(1, checkpoint) })],
  divergence: [51, message('Divergence', { checkpoint: required(1, checkpoint), settled: required(2, bool) })],
  'take-over': [42, message('TakeOver', { ballot: required(1, ballot), reason: required(2, reason) })],
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

type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
true satisfies Same<Infer<typeof nodeMessage>, NodeMessage>;
true satisfies Same<Infer<typeof loggedRequest>, LoggedRequest>;
