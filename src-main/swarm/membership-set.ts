import { fail, ok } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/failure.ts';
import { compareText, wallTime } from '../../shared/domain/ids.ts';
import type { NodeId, SwarmId, WallTime } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/member.ts';
import {
  isObject,
  parseGenesis,
  parseJson,
  parseMembershipRecord,
  revocationReasonCharsMax,
  signGrant,
  signRevocation,
  swarmIdOf,
} from './records.ts';
import type { Genesis, MembershipRecord, SignedRecord } from './records.ts';
import { resolveMembership } from './resolve.ts';
import type { Member, Resolution } from './resolve.ts';
import type { Signer } from './signature.ts';

export type { Member } from './resolve.ts';

/** Records in one set: eight for each of the 500 members a swarm is built for. More are refused, never dropped silently. */
export const membershipRecordsMax = 4_000;
/** A full set as text; what is longer is not looked at. */
export const membershipBytesMax = 4 * 1_024 * 1_024;

/**
 * Who belongs to one swarm: a set of signed grants and revocations that grows by union only, so members converge
 * without any quorum. What cannot be verified does not get in; nothing received can make it throw.
 */
export class MembershipSet {
  readonly swarm: SwarmId;
  readonly genesis: Genesis;
  readonly #signedGenesis: SignedRecord;
  #records: ReadonlyMap<string, MembershipRecord> = new Map();
  #resolution: Resolution;
  readonly #listeners = new Set<() => void>();

  constructor(genesis: Genesis, signed: SignedRecord) {
    this.genesis = genesis;
    this.#signedGenesis = signed;
    this.swarm = swarmIdOf(signed);
    this.#resolution = resolveMembership(genesis, []);
  }

  isMember(id: NodeId): boolean {
    return this.#resolution.members.has(id);
  }

  member(id: NodeId): Member | undefined {
    return this.#resolution.members.get(id);
  }

  /** Sorted by id. */
  members(): readonly Member[] {
    return [...this.#resolution.members.values()].sort((left, right) => compareText(left.id, right.id));
  }

  /** Called after every change of the set; answers how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything, as text that `decodeMembership` and `merge` take. Equal sets have equal texts. */
  encode(): string {
    const records = [...this.#records.entries()]
      .sort(([left], [right]) => compareText(left, right))
      .map(([, { signed }]) => signed);
    return JSON.stringify({ version: 1, genesis: this.#signedGenesis, records });
  }

  /**
   * Takes in what another member sent. Answers whether anything was new. Records that do not verify are left out;
   * fails with `malformed`, `unsupported-version`, `invitation-foreign` (another swarm) or `limit-reached`.
   */
  merge(text: string): Result<boolean> {
    const document = parseDocument(text);
    if (!document.ok) return document;
    const genesis = parseGenesis(document.value.genesis);
    if (!genesis.ok) return genesis;
    if (swarmIdOf(genesis.value.signed) !== this.swarm) {
      return fail('invitation-foreign', 'The membership list belongs to another swarm.');
    }
    return this.#add(document.value.records);
  }

  /**
   * Signs and adds a grant. Its serial and time go past everything known, so that it replaces earlier grants and
   * follows its causes. Fails with `not-authorised` or `limit-reached`.
   */
  grant(
    signer: Signer,
    options: { readonly member: NodeId; readonly name: string; readonly role: Role; readonly now: WallTime },
  ): Result<null> {
    if (this.member(signer.id)?.role !== 'admin') return notAdmin('admit members');
    const { member, name, role } = options;
    const signed = signGrant(signer, {
      swarm: this.swarm,
      member,
      name,
      role,
      issuedAt: this.#timeAfterAll(options.now),
      serial: this.#serialAfter(member),
    });
    return this.#addOwn(signed);
  }

  /** Signs and adds a revocation; a member may always revoke itself. Fails with `not-authorised`, `not-found` or `limit-reached`. */
  revoke(
    signer: Signer,
    options: { readonly member: NodeId; readonly reason: string; readonly now: WallTime },
  ): Result<null> {
    const { member } = options;
    if (this.member(signer.id)?.role !== 'admin' && signer.id !== member) return notAdmin('remove members');
    if (!this.isMember(member)) return fail('not-found', `${member} is not a member of this swarm.`);
    const reason = options.reason.slice(0, revocationReasonCharsMax);
    const serial = Math.max(0, this.#serialAfter(member) - 1);
    return this.#addOwn(
      signRevocation(signer, { swarm: this.swarm, member, reason, issuedAt: this.#timeAfterAll(options.now), serial }),
    );
  }

  #addOwn(signed: SignedRecord): Result<null> {
    const added = this.#add([signed]);
    if (!added.ok) return added;
    return added.value ? ok(null) : fail('internal', 'The signed record did not pass its own check.');
  }

  #add(values: readonly unknown[]): Result<boolean> {
    const candidate = new Map(this.#records);
    for (const value of values) {
      if (isKnown(value, candidate)) continue;
      const record = parseMembershipRecord(this.swarm, value);
      if (record.ok) candidate.set(keyOf(record.value.signed), record.value);
    }
    if (candidate.size === this.#records.size) return ok(false);
    const resolution = resolveMembership(this.genesis, [...candidate.values()]);
    if (resolution.supported.length > membershipRecordsMax) {
      return fail(
        'limit-reached',
        `The membership list would exceed ${String(membershipRecordsMax)} records.`,
        'Found a new swarm with the present members.',
      );
    }
    if (resolution.supported.length === this.#records.size) return ok(false);
    this.#records = new Map(resolution.supported.map((record) => [keyOf(record.signed), record]));
    this.#resolution = resolution;
    for (const listener of [...this.#listeners]) listener();
    return ok(true);
  }

  #timeAfterAll(now: WallTime): WallTime {
    let latest: number = this.genesis.createdAt;
    for (const { body } of this.#records.values()) latest = Math.max(latest, body.issuedAt);
    return wallTime(Math.max(now, latest + 1));
  }

  #serialAfter(member: NodeId): number {
    let highest = 0;
    for (const { body } of this.#records.values()) if (body.member === member) highest = Math.max(highest, body.serial);
    return highest + 1;
  }
}

/** A set from its text. Fails as `merge` does. */
export function decodeMembership(text: string): Result<MembershipSet> {
  const document = parseDocument(text);
  if (!document.ok) return document;
  const parsed = parseGenesis(document.value.genesis);
  if (!parsed.ok) return parsed;
  const set = new MembershipSet(parsed.value.genesis, parsed.value.signed);
  const merged = set.merge(text);
  return merged.ok ? ok(set) : merged;
}

function parseDocument(text: string): Result<{ readonly genesis: unknown; readonly records: readonly unknown[] }> {
  const document = text.length <= membershipBytesMax ? parseJson(text) : null;
  if (!isObject(document) || !Array.isArray(document['records']))
    return fail('malformed', 'What was received is not a membership list.');
  if (document['version'] !== 1) {
    return fail(
      'unsupported-version',
      'The membership list has a version this program does not know.',
      'Update Skein on this machine.',
    );
  }
  const records: readonly unknown[] = document['records'];
  // Each record costs a signature check: bound the work before starting it.
  if (records.length > membershipRecordsMax)
    return fail('limit-reached', `A membership list has at most ${String(membershipRecordsMax)} records.`);
  return ok({ genesis: document['genesis'], records });
}

const keyOf = (signed: SignedRecord): string => `${signed.text}\n${signed.signature}`;

const isKnown = (value: unknown, records: ReadonlyMap<string, MembershipRecord>): boolean =>
  isObject(value) &&
  typeof value['text'] === 'string' &&
  typeof value['signature'] === 'string' &&
  records.has(`${value['text']}\n${value['signature']}`);

const notAdmin = (what: string): { ok: false; failure: { code: 'not-authorised'; message: string; hint: string } } => ({
  ok: false,
  failure: {
    code: 'not-authorised',
    message: `This machine may not ${what}: it is no admin of the swarm.`,
    hint: 'Ask an admin to do it.',
  },
});
