/**
 * Messages between nodes and entries of the log, in the protobuf wire format. Each table, here and in `commands.ts`, is
 * the layout: field numbers, types and bounds; `describe(nodeMessage)` prints it as a .proto file. Numbers are never
 * reused. What is said and not kept is open to fields of a newer program; what is voted for, counted as a vote, learned or
 * asked for is not, because whoever passed something over would do something else. The checks at the end make the compiler refuse a table that says something else than the types of the core.
 */
import { failureCodes } from '../../shared/domain/failure.ts';
import { levelMax } from '../core/levels/feature-levels.ts';
import {
  entriesPerMessageMax,
  outstandingRequestsMax,
  snapshotChunkCharsMax,
  votesAheadMax,
} from '../core/machine/limits.ts';
import type { NodeMessage } from '../core/node/messages.ts';
import { bool, hex, text, uint53, word, type Infer, type Same } from './codec.ts';
import { loggedRequest, request } from './commands.ts';
import { list, message, nullable, openMessage, optional, rememberedList, required, union } from './composite.ts';
import { name, node, reason, slot } from './fields.ts';
import { wideText } from './wide-text.ts';

const messageCharsMax = 2_000;
/** A voter configuration has 1, 3 or 5 seats; a little room keeps a later change readable. */
const votersMax = 16;
/** Forced new quorums in the life of a swarm. */
const cutsMax = 1_000;
const snapshotCharsMax = 1_024 * 1_024 * 1_024;

const failure = message('Failure', {
  code: required(1, word(...failureCodes)),
  message: required(2, text(messageCharsMax)),
  hint: optional(3, text(messageCharsMax)),
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
  incarnation: required(2, name),
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
  'pre-vote': [1, openMessage('PreVote', attempt)],
  'pre-vote-answer': [2, openMessage('PreVoteAnswer', { ...attempt, coordinatorAlive: required(2, bool) })],
  election: [3, openMessage('Election', attempt)],
  answer: [4, openMessage('Answer', { ...attempt, verdict: required(2, word('fit', 'not-fit', 'coordinator-alive')) })],
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
    openMessage('Refuse', {
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
    openMessage('Heartbeat', {
      ballot: required(1, ballot),
      committed: required(2, slot),
      beat: required(3, uint53()),
      level: required(4, uint53(levelMax)),
    }),
  ],
  'heartbeat-ack': [
    16,
    openMessage('HeartbeatAck', {
      ballot: required(1, ballot),
      beat: required(2, uint53()),
      committed: required(3, slot),
      incarnation: required(4, name),
      seated: required(5, bool),
    }),
  ],
  'learn-request': [17, openMessage('LearnRequest', { fromSlot: required(1, slot) })],
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
    openMessage('SnapshotRequest', { slot: required(1, slot), offsetChars: required(2, uint53(snapshotCharsMax)) }),
  ],
  'epoch-promise': [
    22,
    message('EpochPromise', {
      epoch: required(1, uint53()),
      committed: required(2, slot),
      votes: list(3, vote, votesAheadMax),
    }),
  ],
  departing: [21, openMessage('Departing', { departure: nullable(1, word('leave', 'shutdown', 'suspend')) })],
  propose: [30, message('Propose', { requests: list(1, request, outstandingRequestsMax) })],
  'propose-refused': [
    31,
    openMessage('ProposeRefused', {
      sequences: list(1, uint53(), outstandingRequestsMax),
      failure: required(2, failure),
      coordinator: nullable(3, node),
    }),
  ],
  'read-index': [40, openMessage('ReadIndex', attempt)],
  'read-index-answer': [41, message('ReadIndexAnswer', { ...attempt, slot: nullable(2, slot) })],
  checkpoint: [50, openMessage('CheckpointReport', { checkpoint: required(1, checkpoint) })],
  divergence: [51, openMessage('Divergence', { checkpoint: required(1, checkpoint), settled: required(2, bool) })],
  'take-over': [42, message('TakeOver', { ballot: required(1, ballot), reason: required(2, reason) })],
});

true satisfies Same<Infer<typeof nodeMessage>, NodeMessage>;
