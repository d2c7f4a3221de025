import type { SkeinServices } from '../api/services.ts';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import { fencingToken, kvKey, lockName, slot } from '../../shared/domain/ids.ts';
import type { SessionId } from '../../shared/domain/ids.ts';
import type { KvCompare, KvOperation } from '../core/kv/commands.ts';
import type { KvEntry } from '../core/kv/records.ts';
import { prefixRange } from '../core/kv/sorted-keys.ts';
import type { KeyRange } from '../core/kv/sorted-keys.ts';
import { kvBytesMax, kvKeysMax } from '../core/machine/limits.ts';
import type { CommandResult } from '../core/state-machine/command.ts';
import { KvWatches } from './kv-watch.ts';
import { answerView, entryView, type NameOf } from './kv-view.ts';
import { nodeRef } from './names.ts';
import type { Provenance } from './provenance.ts';
import { readBarrier } from './read-barrier.ts';
import { requirePeer, valueOf, type PeerHolder, type RunningPeer } from './running-peer.ts';

type Kv = SkeinServices['kv'];
type Outcome = Extract<CommandResult, { type: 'kv-transacted' }>;
type TransactInput = Parameters<Kv['transact']>[0];
type RangeInput = Pick<Parameters<Kv['range']>[0], 'prefix' | 'from' | 'to'>;

const writeWaitMs = 30_000;
/** UTF-16 units of values after which a page of a range ends. */
const pageCharsMax = 1_024 * 1_024;

/** The swarm's small values, for people and scripts. */
export function createKvService(holder: PeerHolder): Kv {
  const watches = new KvWatches();
  return {
    get: async ({ key, stale }, { signal }) => {
      const peer = requirePeer(holder);
      const provenance = await freshness(peer, stale, signal);
      const entry = peer.replica.state().kv.get(kvKey(key));
      return { entry: entry === null ? null : entryView(namesOf(peer), entry), provenance };
    },
    range: async ({ limit, keysOnly, stale, ...where }, { signal }) => {
      const peer = requirePeer(holder);
      const range = rangeOf(where);
      const provenance = await freshness(peer, stale, signal);
      const { kv } = peer.replica.state();
      const { page, next } = pageOf(kv.list(range, limit + 1), limit);
      const entries = page.map((entry) => entryView(namesOf(peer), keysOnly ? { ...entry, value: '' } : entry));
      return { entries, total: kv.count(range), next, provenance };
    },
    put: async ({ key, value, withSession }, { signal }) => {
      const outcome = await transact(requirePeer(holder), signal, {
        compares: [],
        thenOperations: [{ type: 'put', key, value, withSession }],
        elseOperations: [],
      });
      const [answer] = outcome.answers;
      if (answer?.type !== 'put') throw unexpected(outcome);
      return { revision: outcome.revision, previous: answer.previous, version: answer.version };
    },
    compareAndSet: async ({ key, value, revision, expected, withSession }, { signal }) => {
      const compare = expectation(key, revision, expected);
      const outcome = await transact(requirePeer(holder), signal, {
        compares: [compare],
        thenOperations: [{ type: 'put', key, value, withSession }],
        elseOperations: [{ type: 'get', key }],
      });
      const [answer] = outcome.answers;
      if (answer?.type === 'got') throw changedMeanwhile(key, answer.entry);
      if (answer?.type !== 'put') throw unexpected(outcome);
      return { revision: outcome.revision, version: answer.version };
    },
    delete: async ({ key, revision }, { signal }) => {
      const outcome = await transact(requirePeer(holder), signal, {
        compares: revision === undefined ? [] : [{ type: 'revision', key, relation: 'equal', revision }],
        thenOperations: [{ type: 'delete', key }],
        elseOperations: [{ type: 'get', key }],
      });
      const [answer] = outcome.answers;
      if (answer?.type === 'got') throw changedMeanwhile(key, answer.entry);
      if (answer?.type !== 'deleted') throw unexpected(outcome);
      return { deleted: answer.previous > 0, revision: outcome.revision };
    },
    transact: async (input, { signal }) => {
      const peer = requirePeer(holder);
      const { succeeded, revision, answers } = await transact(peer, signal, input);
      return { succeeded, revision, answers: answers.map((answer) => answerView(namesOf(peer), answer)) };
    },
    watch: async function* ({ key, fromRevision, ...where }, { signal }) {
      const peer = requirePeer(holder);
      const range = key === undefined ? rangeOf(where) : { from: key, to: `${key}\u0000` };
      const from = fromRevision === undefined ? slot((await readBarrier(peer, signal)) + 1) : slot(fromRevision);
      yield* watches.watch({ replica: peer.replica, nameOf: namesOf(peer) }, range, from, signal);
    },
    usage: async () => {
      const peer = requirePeer(holder);
      const { kv } = peer.replica.state();
      const counts = { keys: kv.size, keysMax: kvKeysMax, bytes: kv.bytes, bytesMax: kvBytesMax };
      return { ...counts, oldestRevision: kv.oldestRevision, provenance: ownCopy(peer) };
    },
  };
}

const namesOf =
  (peer: RunningPeer): NameOf =>
  (node) =>
    nodeRef(peer.membership, node);

/** Waits until a read is linearizable, unless a stale one will do; answers what the reader may rely on. */
async function freshness(peer: RunningPeer, stale: boolean, signal: AbortSignal): Promise<Provenance> {
  if (stale) return ownCopy(peer);
  await readBarrier(peer, signal);
  return { consistency: 'quorum', ageMs: 0, slot: peer.replica.status().applied };
}

function ownCopy(peer: RunningPeer): Provenance {
  const { applied, coordinator } = peer.replica.status();
  return {
    consistency: coordinator === null ? 'stale' : 'local',
    ageMs: peer.hints.coordinatorSilentMs(),
    slot: applied,
  };
}

async function transact(peer: RunningPeer, signal: AbortSignal, input: TransactInput): Promise<Outcome> {
  const outcome = valueOf(
    await peer.replica.propose(
      {
        type: 'kv-transacted',
        by: peer.self,
        compares: input.compares.map(compareOf),
        thenOperations: input.thenOperations.map((operation) => operationOf(peer, operation)),
        elseOperations: input.elseOperations.map((operation) => operationOf(peer, operation)),
      },
      { signal, timeoutMs: writeWaitMs },
    ),
  );
  if (outcome.type !== 'kv-transacted') throw unexpected(outcome);
  return outcome;
}

function compareOf(compare: TransactInput['compares'][number]): KvCompare {
  switch (compare.type) {
    case 'lock':
      return { type: 'lock', name: lockName(compare.name), token: fencingToken(compare.token) };
    case 'value':
      return { ...compare, key: kvKey(compare.key) };
    case 'version':
      return { ...compare, key: kvKey(compare.key) };
    case 'revision':
    case 'created':
      return { ...compare, key: kvKey(compare.key), revision: slot(compare.revision) };
  }
}

function operationOf(peer: RunningPeer, operation: TransactInput['thenOperations'][number]): KvOperation {
  const key = kvKey(operation.key);
  if (operation.type !== 'put') return { type: operation.type, key };
  return { type: 'put', key, value: operation.value, session: operation.withSession ? sessionOf(peer) : null };
}

function sessionOf(peer: RunningPeer): SessionId {
  const session = peer.keeper.held;
  if (session !== null) return session;
  throw new FailureError(
    fail(
      'no-coordinator',
      'This machine has no valid session now, so no key can end with it.',
      'Wait until a coordinator is heard again.',
    ).failure,
  );
}

function rangeOf({ prefix, from, to }: RangeInput): KeyRange {
  if (prefix === undefined) return { from: from ?? '', to: to ?? null };
  if (from !== undefined && to !== undefined) throw bad('A range has a prefix, or a beginning and an end, not both.');
  const whole = prefixRange(prefix);
  // A later page of a prefix begins at `from`.
  if (from !== undefined && from >= whole.from) return { from, to: whole.to };
  if (from !== undefined || to !== undefined) throw bad('A range has a prefix, or a beginning and an end, not both.');
  return whole;
}

/** At most `limit` entries and about `pageCharsMax` of values; `next` is the first key left out. */
function pageOf(found: readonly KvEntry[], limit: number): { page: readonly KvEntry[]; next: string | null } {
  let chars = 0;
  let count = 0;
  while (count < Math.min(limit, found.length) && (count === 0 || chars < pageCharsMax)) {
    chars += found[count]?.value.length ?? 0;
    count += 1;
  }
  return { page: found.slice(0, count), next: found[count]?.key ?? null };
}

type CompareInput = TransactInput['compares'][number];

function expectation(key: string, revision: number | undefined, expected: string | null | undefined): CompareInput {
  if ((revision === undefined) === (expected === undefined))
    throw bad('Say what is expected: either a revision or a value.');
  if (revision !== undefined) return { type: 'revision', key, relation: 'equal', revision };
  return expected === undefined || expected === null
    ? { type: 'revision', key, relation: 'equal', revision: 0 }
    : { type: 'value', key, relation: 'equal', value: expected };
}

const bad = (message: string): FailureError => new FailureError(fail('bad-input', message).failure);

const changedMeanwhile = (key: string, entry: KvEntry | null): FailureError =>
  new FailureError(
    fail(
      'precondition-failed',
      entry === null ? `There is no key ${key}.` : `The key ${key} has revision ${entry.revision} now.`,
      `Look at it again: skein kv get ${key}`,
    ).failure,
  );

const unexpected = (outcome: CommandResult): FailureError =>
  new FailureError(fail('internal', `a transaction was answered with ${outcome.type}`).failure);
