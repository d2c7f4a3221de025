/**
 * Records of the journal: a protobuf message of a format version and one of a fact or a part of a snapshot.
 * A journal begins with the parts of its snapshot, if it has one, and goes on with the facts after it.
 * `describe(journalRecord)` prints the layout.
 */
import { fail, ok, type Result } from '../../shared/domain/failure.ts';
import type { Slot } from '../../shared/domain/ids.ts';
import { entriesPerMessageMax } from '../core/machine/limits.ts';
import type { NodeFact, Recovered } from '../core/node/messages.ts';
import type { Snapshot } from '../core/paxos/facts.ts';
import { decode, encode, uint53, type Infer, type Same } from './codec.ts';
import { message, nullable, rememberedList, required, union } from './composite.ts';
import { node } from './fields.ts';
import { ballot, entry, logChain, voterConfig } from './messages.ts';
import { wideText } from './wide-text.ts';

export const journalVersion = 1;

/** No record is longer: the bound of the file format below. An entry is far smaller, so every fact can be split to fit. */
export const recordBytesMax = 4 * 1_024 * 1_024;

/** Three bytes each at most, and some room for the rest of the record. */
const snapshotCharsPerRecord = 1_024 * 1_024;
const snapshotRecordsMax = 4_096;

const slot = uint53<Slot>();
const entries = rememberedList(3, entry, entriesPerMessageMax);

export const nodeFact = union('NodeFact', 'type', {
  promised: [1, message('PromisedFact', { ballot: required(1, ballot) })],
  accepted: [2, message('AcceptedFact', { ballot: required(1, ballot), firstSlot: required(2, slot), entries })],
  learned: [3, message('LearnedFact', { firstSlot: required(2, slot), entries })],
  'epoch-promised': [5, message('EpochPromisedFact', { epoch: required(1, uint53()), to: required(2, node) })],
  'set-aside': [6, message('SetAsideFact', { epoch: required(1, uint53()), entries })],
  reviewed: [7, message('ReviewedFact', {})],
  committed: [4, message('CommittedFact', { slot: required(1, slot) })],
});

const snapshotPart = message('SnapshotRecord', {
  slot: required(1, slot),
  config: required(2, voterConfig),
  part: required(3, uint53(snapshotRecordsMax)),
  parts: required(4, uint53(snapshotRecordsMax)),
  state: required(5, wideText(snapshotCharsPerRecord)),
  chain: nullable(6, logChain),
});

export const journalRecord = message('JournalRecord', {
  version: required(1, uint53()),
  fact: nullable(2, nodeFact),
  snapshot: nullable(3, snapshotPart),
});

/** The records of one fact: several when its entries are large. */
export function encodeFact(fact: NodeFact): readonly Uint8Array[] {
  const record = encode(journalRecord, { version: journalVersion, fact, snapshot: null });
  if (record.length <= recordBytesMax || (fact.type !== 'accepted' && fact.type !== 'learned')) return [record];
  const half = Math.ceil(fact.entries.length / 2);
  return [
    ...encodeFact({ ...fact, entries: fact.entries.slice(0, half) }),
    ...encodeFact({ ...fact, firstSlot: (fact.firstSlot + half) as Slot, entries: fact.entries.slice(half) }),
  ];
}

/** The records that a snapshot makes at the head of a journal. */
export function* encodeSnapshotParts({ slot: at, config, state, chain }: Snapshot): Generator<Uint8Array> {
  const parts = Math.max(1, Math.ceil(state.length / snapshotCharsPerRecord));
  for (let part = 0; part < parts; part++) {
    const text = state.slice(part * snapshotCharsPerRecord, (part + 1) * snapshotCharsPerRecord);
    yield encode(journalRecord, {
      version: journalVersion,
      fact: null,
      snapshot: { slot: at, config, part, parts, state: text, chain },
    });
  }
}

export const encodeSnapshot = (snapshot: Snapshot): readonly Uint8Array[] => [...encodeSnapshotParts(snapshot)];

/**
 * What a whole journal says. A record that cannot be read is a failure, since an acceptor that forgets is unsafe:
 * `unsupported-version` where a newer program wrote it, whose journal must be left as it is, and `corrupt` otherwise.
 */
export function decodeJournal(records: readonly Uint8Array[]): Result<Recovered> {
  const facts: NodeFact[] = [];
  const parts: Infer<typeof snapshotPart>[] = [];
  for (const [position, bytes] of records.entries()) {
    const record = decode(journalRecord, bytes);
    if (!record.ok && record.failure.code === 'unsupported-version')
      return fail('unsupported-version', `Journal record ${position}: ${record.failure.message}.`, newer);
    if (!record.ok) return corrupt(position, record.failure.message);
    const { version, fact, snapshot } = record.value;
    if (version !== journalVersion)
      return fail('unsupported-version', `Journal record ${position} has version ${version}.`, newer);
    if ((fact === null) === (snapshot === null))
      return corrupt(position, 'it is neither a fact nor a part of a snapshot');
    if (fact !== null) facts.push(fact);
    if (snapshot !== null && (snapshot.part !== position || facts.length > 0))
      return corrupt(position, 'a part of a snapshot is out of place');
    if (snapshot !== null) parts.push(snapshot);
  }
  const [first] = parts;
  if (first === undefined) return ok({ snapshot: null, facts });
  if (parts.some((part) => part.parts !== parts.length || part.slot !== first.slot))
    return corrupt(0, 'its snapshot is incomplete');
  return ok({
    snapshot: {
      slot: first.slot,
      config: first.config,
      state: parts.map((part) => part.state).join(''),
      chain: first.chain,
    },
    facts,
  });
}

const newer = 'It was written by a newer Skein: start that one.';

const corrupt = (
  position: number,
  why: string,
): { ok: false; failure: { code: 'corrupt'; message: string; hint: string } } => ({
  ok: false,
  failure: {
    code: 'corrupt',
    message: `Journal record ${position} cannot be read: ${why}.`,
    hint: 'Move the state directory away and join again: the machine returns as a new voter.',
  },
});

true satisfies Same<Infer<typeof nodeFact>, NodeFact>;
