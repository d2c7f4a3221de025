import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Result } from '../../../shared/domain/failure.ts';
import { nodeId, wallTime } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Role } from '../../../shared/domain/member.ts';
import { decodeMembership } from '../../../src-main/swarm/membership-set.ts';
import type { MembershipSet } from '../../../src-main/swarm/membership-set.ts';
import { signGrant, signRevocation } from '../../../src-main/swarm/records.ts';
import type { SignedRecord } from '../../../src-main/swarm/records.ts';
import type { Signer } from '../../../src-main/swarm/signature.ts';
import { foundSwarm } from '../../../src-main/swarm/swarm-file.ts';

function must<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}

function createSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    id: base58(Buffer.concat([Buffer.from('002408011220', 'hex'), raw])),
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
  };
}

/** Written apart from the decoder under test. */
function base58(bytes: Buffer): NodeId {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let text = '';
  for (let value = BigInt(`0x${bytes.toString('hex')}`); value > 0n; value /= 58n)
    text = (alphabet[Number(value % 58n)] ?? '') + text;
  return nodeId(`1${text}`);
}

const founder = createSigner();
const alice = createSigner();
const bob = createSigner();
const carol = createSigner();
const newSwarm = (): MembershipSet =>
  must(foundSwarm(founder, { name: 'home', founderName: 'desk', now: wallTime(100) }));
const copyOf = (set: MembershipSet): MembershipSet => must(decodeMembership(set.encode()));
const admit = (set: MembershipSet, by: Signer, member: NodeId, role: Role = 'worker'): Result<null> =>
  set.grant(by, { member, name: 'name', role, now: wallTime(0) });
const rolesOf = (set: MembershipSet): Record<string, Role> =>
  Object.fromEntries(
    set.members().map(({ id, role }) => [[founder, alice, bob, carol].findIndex((signer) => signer.id === id), role]),
  );

/** A set as another machine would send it, with records of anybody's making. */
function withRecords(set: MembershipSet, records: readonly unknown[]): string {
  const document = JSON.parse(set.encode()) as { records: unknown[] };
  return JSON.stringify({ ...document, records: [...document.records, ...records] });
}
const recordsOf = (set: MembershipSet): SignedRecord[] =>
  (JSON.parse(set.encode()) as { records: SignedRecord[] }).records;

test('the founder is the first admin, and admins admit others', () => {
  const set = newSwarm();
  must(admit(set, founder, alice.id, 'admin'));
  must(admit(set, alice, bob.id));
  expect(rolesOf(set)).toEqual({ 0: 'admin', 1: 'admin', 2: 'worker' });
  expect(admit(set, bob, carol.id)).toMatchObject({ ok: false, failure: { code: 'not-authorised' } });
});

test('a grant signed by somebody who is no admin changes nothing', () => {
  const set = newSwarm();
  must(admit(set, founder, bob.id));
  const forged = signGrant(bob, {
    swarm: set.swarm,
    member: carol.id,
    name: 'x',
    role: 'admin',
    issuedAt: wallTime(500),
    serial: 9,
  });
  expect(set.merge(withRecords(set, [forged]))).toEqual({ ok: true, value: false });
  expect(set.isMember(carol.id)).toBe(false);
});

test('a record whose text or signature was altered is left out', () => {
  const set = newSwarm();
  const grant = signGrant(founder, {
    swarm: set.swarm,
    member: bob.id,
    name: 'x',
    role: 'worker',
    issuedAt: wallTime(500),
    serial: 1,
  });
  const altered = { ...grant, text: grant.text.replace('"worker"', '"admin"') };
  expect(set.merge(withRecords(set, [altered]))).toEqual({ ok: true, value: false });
  expect(set.merge(withRecords(set, [grant]))).toEqual({ ok: true, value: true });
});

test('a revocation wins over grants up to its serial, in whatever order they arrive, and a later grant readmits', () => {
  const set = newSwarm();
  must(admit(set, founder, bob.id));
  const before = copyOf(set);
  must(set.revoke(founder, { member: bob.id, reason: 'stolen', now: wallTime(0) }));
  must(before.merge(set.encode()));
  const replay = signGrant(founder, {
    swarm: set.swarm,
    member: bob.id,
    name: 'x',
    role: 'worker',
    issuedAt: wallTime(10_000),
    serial: 1,
  });
  must(set.merge(withRecords(set, [replay])));
  expect([set.isMember(bob.id), before.isMember(bob.id)]).toEqual([false, false]);
  must(admit(set, founder, bob.id, 'observer'));
  expect(set.member(bob.id)?.role).toBe('observer');
});

test('what an admin granted before being revoked stays; what it grants afterwards does not', () => {
  const set = newSwarm();
  must(admit(set, founder, alice.id, 'admin'));
  must(admit(set, alice, bob.id));
  const apart = copyOf(set);
  must(set.revoke(founder, { member: alice.id, reason: 'gone', now: wallTime(1_000) }));
  must(apart.grant(alice, { member: carol.id, name: 'x', role: 'admin', now: wallTime(2_000) }));
  must(set.merge(apart.encode()));
  must(apart.merge(set.encode()));
  expect([rolesOf(set), rolesOf(apart)]).toEqual([
    { 0: 'admin', 2: 'worker' },
    { 0: 'admin', 2: 'worker' },
  ]);
});

test('a member may leave on its own word, but not remove another', () => {
  const set = newSwarm();
  must(admit(set, founder, bob.id));
  must(admit(set, founder, carol.id));
  const other = signRevocation(bob, {
    swarm: set.swarm,
    member: carol.id,
    reason: 'x',
    issuedAt: wallTime(900),
    serial: 9,
  });
  must(set.merge(withRecords(set, [other])));
  must(set.revoke(bob, { member: bob.id, reason: 'leaving', now: wallTime(0) }));
  expect(rolesOf(set)).toEqual({ 0: 'admin', 3: 'worker' });
});

test('a list of another swarm is refused', () => {
  expect(newSwarm().merge(newSwarm().encode())).toMatchObject({ ok: false, failure: { code: 'invitation-foreign' } });
});

test('listeners hear of changes only', () => {
  const set = newSwarm();
  let changes = 0;
  const stop = set.onChange(() => {
    changes += 1;
  });
  must(admit(set, founder, bob.id));
  must(set.merge(set.encode()));
  stop();
  must(admit(set, founder, carol.id));
  expect(changes).toBe(1);
});

test('machines that merge the same records in any order and grouping agree', () => {
  const full = newSwarm();
  const empty = copyOf(full);
  must(admit(full, founder, alice.id, 'admin'));
  must(admit(full, alice, bob.id, 'admin'));
  must(admit(full, bob, carol.id));
  must(full.revoke(alice, { member: bob.id, reason: 'x', now: wallTime(0) }));
  must(admit(full, founder, carol.id, 'observer'));
  must(full.revoke(founder, { member: alice.id, reason: 'x', now: wallTime(0) }));
  const records = recordsOf(full);
  fc.assert(
    fc.property(
      fc.shuffledSubarray(records, { minLength: records.length }),
      fc.integer({ min: 1, max: records.length }),
      (shuffled, cut) => {
        const set = copyOf(empty);
        // A list with gaps leaves out what nobody known stands behind; the whole list, sent later, brings it in.
        must(set.merge(withRecords(empty, shuffled.slice(0, cut))));
        must(set.merge(withRecords(empty, shuffled)));
        expect(set.encode()).toBe(full.encode());
        expect(set.members()).toEqual(full.members());
      },
    ),
    { numRuns: 30 },
  );
});

test('nothing received makes decoding or merging throw', () => {
  const set = newSwarm();
  must(admit(set, founder, bob.id));
  const text = set.encode();
  const mutated = fc
    .tuple(fc.nat(text.length - 1), fc.string({ maxLength: 6 }))
    .map(([at, insert]) => text.slice(0, at) + insert + text.slice(at + insert.length));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        mutated,
        fc.json().map((record) => `{"version":1,"genesis":${record},"records":[${record}]}`),
      ),
      (received) => {
        decodeMembership(received);
        set.merge(received);
        expect(rolesOf(set)).toEqual({ 0: 'admin', 2: 'worker' });
      },
    ),
    { numRuns: 300 },
  );
});
