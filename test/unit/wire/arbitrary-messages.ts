import fc from 'fast-check';
import { failureCodes } from '../../../shared/domain/failure.ts';
import type { NodeFact, NodeMessage } from '../../../src-main/core/node/messages.ts';
import type { Snapshot } from '../../../src-main/core/paxos/facts.ts';
import type { Request } from '../../../src-main/core/state-machine/command.ts';

const count = fc.oneof(fc.nat(200), fc.maxSafeNat());
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ maxLength, unit: 'grapheme' }).map((value) => value.slice(0, maxLength).toWellFormed());
const node = text(60);
const session = text(60);
const name = text(100);
const reason = text(200);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const digest = hash.map((value) => value.slice(0, 32));
const chain = fc.record({ version: count, origin: count, link: digest });
const checkpoint = fc.record({ epoch: count, slot: count, chain, state: digest });
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const or = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { nil: null });
const few = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> => fc.array(value, { maxLength: 4 });

type Table = Readonly<Record<string, fc.Arbitrary<unknown>>>;
const variant = (type: string, fields: Table = {}): fc.Arbitrary<unknown> =>
  fc.record({ type: fc.constant(type), ...fields });

const capacity = fc.record({
  slots: count,
  os: name,
  arch: name,
  memoryBytes: number,
  accepts: fc.oneof(
    fc.constant({ from: 'nobody' }),
    fc.constant({ from: 'everyone' }),
    fc.record({ from: fc.constant('listed'), members: few(node) }),
  ),
});
const level = fc.nat(10_000);
const program = fc.record({ version: name, supports: level });
const specFields = {
  name,
  argv: few(text(300)),
  env: fc.dictionary(text(20), text(50), { maxKeys: 4, noNullPrototype: true }),
  outputs: few(name),
  lock: or(name),
  retries: count,
  timeoutMs: or(count),
  on: or(node),
  policy: fc.constantFrom('least-loaded', 'round-robin'),
  slots: count,
};
const spec = fc.oneof(fc.record(specFields), fc.record({ ...specFields, priority: fc.constantFrom('low', 'high') }));
const key = { job: count, index: count, attempt: count, token: count };
const outcome = fc.oneof(
  variant('exited', { exitCode: number }),
  variant('signalled', { signal: text(20) }),
  variant('timed-out'),
  variant('cancelled'),
  variant('rejected', { reason }),
  variant('broken', { reason, retryable: fc.boolean() }),
  variant('broken', { reason, retryable: fc.boolean(), exitCode: fc.constantFrom(126, 127) }),
);
const outputs = fc.record({ manifest: hash, fileCount: count, bytes: count });
const assignment = fc.record({ job: count, index: count, attempt: count, node, session, reason });

const relation = fc.constantFrom('equal', 'not-equal', 'less', 'greater');
const compare = fc.oneof(
  variant('value', { key: name, relation: fc.constantFrom('equal', 'not-equal'), value: reason }),
  variant('revision', { key: name, relation, revision: count }),
  variant('created', { key: name, relation, revision: count }),
  variant('version', { key: name, relation, version: count }),
  variant('lock', { name, token: count }),
);
const operation = fc.oneof(
  variant('put', { key: name, value: reason, session: or(session) }),
  variant('delete', { key: name }),
  variant('get', { key: name }),
);

const command = fc.oneof(
  variant('session-opened', { session, node, name, ttlMs: count, capacity }),
  variant('session-opened', { session, node, name, ttlMs: count, capacity, program }),
  variant('level-raised', { level }),
  variant('session-renewed', { session, renewal: count }),
  variant('session-expired', { session, renewal: count }),
  variant('session-closed', { session }),
  variant('capacity-changed', { session, capacity }),
  variant('lock-requested', { name, session, owner: name, label: name, wait: fc.boolean() }),
  variant('lock-abandoned', { name, session, owner: name }),
  variant('locks-requested', {
    session,
    owner: name,
    label: name,
    wait: fc.boolean(),
    wishes: few(
      fc.record({
        name,
        mode: fc.oneof(variant('exclusive'), variant('shared'), variant('permit', { permits: count })),
      }),
    ),
    delayMs: count,
    keeps: fc.boolean(),
  }),
  variant('locks-released', { session, owner: name, names: few(name), token: count }),
  variant('lock-downgraded', { name, session, owner: name, token: count }),
  variant('lock-delay-ended', { name, since: count }),
  variant('lock-released', { name, session, token: count }),
  variant('lock-force-released', { name, expectedToken: count, by: name, reason }),
  variant('kv-transacted', {
    by: node,
    compares: few(compare),
    thenOperations: few(operation),
    elseOperations: few(operation),
  }),
  variant('ranks-changed', { moves: few(fc.record({ node, band: fc.nat(4) })) }),
  variant('rank-pinned', { node, pin: fc.constantFrom('home-base', 'never', 'none'), by: name }),
  variant('job-submitted', { submitter: node, spec, taskCount: fc.nat(100_000), manifest: hash }),
  variant('tasks-assigned', { assignments: few(assignment) }),
  variant('attempts-progressed', {
    session,
    changes: few(fc.record({ ...key, state: fc.constantFrom('fetching', 'running', 'uploading') })),
  }),
  variant('attempts-finished', { session, results: few(fc.record({ ...key, outcome, outputs: or(outputs) })) }),
  variant('tasks-cancelled', { job: count, indices: or(few(count)), by: name, reason }),
  variant('tasks-retried', { job: count, indices: or(few(count)), by: name }),
);
const request = fc.record({ client: node, sequence: count, answeredBelow: count, command });
const ballot = fc.record({ epoch: count, config: count, round: count, rank: count, voter: node });
const voters = few(fc.record({ node, incarnation: name, rank: count }));
const cuts = few(fc.record({ epoch: count, lastSlot: count }));
const config = fc.record({ epoch: count, id: count, firstSlot: count, voters, cuts });
const entry = fc.oneof(
  fc.record({ type: fc.constant('payload'), payload: fc.record({ request, at: number }) }),
  variant('no-op'),
  variant('open', { ballot }),
  variant('stop-sign', { voters }),
);
const vote = fc.record({ slot: count, ballot, entry });
const failure = fc.oneof(
  fc.record({ code: fc.constantFrom(...failureCodes), message: reason }),
  fc.record({ code: fc.constantFrom(...failureCodes), message: reason, hint: reason }),
);

const byType: Readonly<Record<NodeMessage['type'], fc.Arbitrary<unknown>>> = {
  'pre-vote': variant('pre-vote', { attempt: count }),
  'pre-vote-answer': variant('pre-vote-answer', { attempt: count, coordinatorAlive: fc.boolean() }),
  election: variant('election', { attempt: count }),
  answer: variant('answer', { attempt: count, verdict: fc.constantFrom('fit', 'not-fit', 'coordinator-alive') }),
  prepare: variant('prepare', { ballot, fromSlot: count, leave: or(ballot) }),
  promise: variant('promise', { ballot, committed: count, votes: few(vote) }),
  refuse: variant('refuse', {
    ballot,
    reason: fc.constantFrom('lower-ballot', 'coordinator-alive', 'behind', 'stopped', 'not-a-voter'),
    promised: or(ballot),
    committed: count,
  }),
  accept: variant('accept', { ballot, firstSlot: count, entries: few(entry), committed: count }),
  accepted: variant('accepted', { ballot, firstSlot: count, lastSlot: count }),
  heartbeat: variant('heartbeat', { ballot, committed: count, beat: count, level }),
  'heartbeat-ack': variant('heartbeat-ack', {
    ballot,
    beat: count,
    committed: count,
    incarnation: name,
    seated: fc.boolean(),
  }),
  'epoch-promise': variant('epoch-promise', { epoch: count, committed: count, votes: few(vote) }),
  departing: variant('departing', { departure: or(fc.constantFrom('leave', 'shutdown', 'suspend')) }),
  'learn-request': variant('learn-request', { fromSlot: count }),
  'learn-reply': variant('learn-reply', { firstSlot: count, entries: few(entry), committed: count }),
  'snapshot-part': variant('snapshot-part', {
    slot: count,
    config,
    offsetChars: fc.nat(1_000_000),
    totalChars: fc.nat(1_000_000),
    // A part of a text may begin or end in the middle of a surrogate pair.
    text: fc.string({ maxLength: 300, unit: 'binary' }).map((value) => value.slice(1)),
    chain: or(chain),
  }),
  'snapshot-request': variant('snapshot-request', { slot: count, offsetChars: fc.nat(1_000_000) }),
  propose: variant('propose', { requests: few(request) }),
  'read-index': variant('read-index', { attempt: count }),
  'read-index-answer': variant('read-index-answer', { attempt: count, slot: or(count) }),
  checkpoint: variant('checkpoint', { checkpoint }),
  divergence: variant('divergence', { checkpoint, settled: fc.boolean() }),
  'take-over': variant('take-over', { ballot, reason }),
  'propose-refused': variant('propose-refused', { sequences: few(count), failure, coordinator: or(node) }),
};

/** The one cast of these tests: what was generated by the tables above has the shape of the core's types. */
const shaped = <Value>(arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<Value> => arbitrary as fc.Arbitrary<Value>;

export const arbitraryMessage = shaped<NodeMessage>(fc.oneof(...Object.values(byType)));
export const arbitraryRequest = shaped<Request>(request);
export const arbitraryFact = shaped<NodeFact>(
  fc.oneof(
    variant('promised', { ballot }),
    variant('accepted', { ballot, firstSlot: count, entries: few(entry) }),
    variant('learned', { firstSlot: count, entries: few(entry) }),
    variant('committed', { slot: count }),
  ),
);
export const arbitrarySnapshot = shaped<Snapshot>(
  fc.record({ slot: count, config, state: text(2_000), chain: or(chain) }),
);
