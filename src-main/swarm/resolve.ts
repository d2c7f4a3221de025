import { compareText } from '../../shared/domain/ids.ts';
import type { NodeId, WallTime } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/member.ts';
import type { Genesis, MembershipRecord } from './records.ts';

export interface Member {
  readonly id: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly joinedAt: WallTime;
}

/** What a set of records means. The same for everyone who holds the same set, in whatever order it came. */
export interface Resolution {
  readonly members: ReadonlyMap<NodeId, Member>;
  /** Highest serial that an effective revocation names, per machine. */
  readonly revoked: ReadonlyMap<NodeId, number>;
  /** Records whose signer was at some time an admin, or who revoke themselves: the ones worth keeping. */
  readonly supported: readonly MembershipRecord[];
}

interface Seat extends Member {
  readonly serial: number;
}

/**
 * Replays the records in the order of their times. A record counts if its signer is an admin at that point; those
 * who issue records choose a time past all they have seen, so a slow clock cannot put a record before its cause.
 * A revocation beats every grant with a serial up to its own, also one that claims a later time.
 */
export function resolveMembership(genesis: Genesis, records: readonly MembershipRecord[]): Resolution {
  const supported = supportedRecords(genesis, records);
  const seats = new Map<NodeId, Seat>();
  const joined = new Map<NodeId, WallTime>([[genesis.founder, genesis.createdAt]]);
  const revoked = new Map<NodeId, number>();
  seats.set(genesis.founder, {
    id: genesis.founder,
    name: genesis.founderName,
    role: 'admin',
    joinedAt: genesis.createdAt,
    serial: 0,
  });
  for (const record of [...supported].sort(compareRecords)) {
    const { member, admin, serial } = record.body;
    if (!mayAct(seats.get(admin)) && !isOwnLeave(record, seats)) continue;
    if (record.kind === 'revocation') {
      revoked.set(member, Math.max(serial, revoked.get(member) ?? 0));
      const seat = seats.get(member);
      if (seat !== undefined && seat.serial <= serial) seats.delete(member);
      continue;
    }
    if (serial <= (revoked.get(member) ?? -1)) continue;
    const held = seats.get(member);
    if (held !== undefined && held.serial > serial) continue;
    const joinedAt = joined.get(member) ?? record.body.issuedAt;
    joined.set(member, joinedAt);
    seats.set(member, { id: member, name: record.body.name, role: record.body.role, joinedAt, serial });
  }
  const members = new Map(
    [...seats.values()].map(({ id, name, role, joinedAt }) => [id, { id, name, role, joinedAt }]),
  );
  return { members, revoked, supported };
}

const mayAct = (seat: Seat | undefined): boolean => seat?.role === 'admin';

const isOwnLeave = (record: MembershipRecord, seats: ReadonlyMap<NodeId, Seat>): boolean =>
  record.kind === 'revocation' && record.body.admin === record.body.member && seats.has(record.body.member);

/** Revocations go first at equal times, so that ties fall to the safe side; then only the records' own bytes decide. */
function compareRecords(left: MembershipRecord, right: MembershipRecord): number {
  return (
    left.body.issuedAt - right.body.issuedAt ||
    compareText(right.kind, left.kind) ||
    left.body.serial - right.body.serial ||
    compareText(left.signed.text, right.signed.text) ||
    compareText(left.signed.signature, right.signed.signature)
  );
}

/** Follows admin grants from the founder, whatever was revoked since; drops what no admin ever stood behind. */
function supportedRecords(genesis: Genesis, records: readonly MembershipRecord[]): readonly MembershipRecord[] {
  const admins = new Set<NodeId>([genesis.founder]);
  const granted = new Set<NodeId>([genesis.founder]);
  const byAdmin = Map.groupBy(records, (record) => record.body.admin);
  const waiting: NodeId[] = [genesis.founder];
  for (let admin = waiting.pop(); admin !== undefined; admin = waiting.pop()) {
    for (const record of byAdmin.get(admin) ?? []) {
      if (record.kind !== 'grant') continue;
      granted.add(record.body.member);
      if (record.body.role !== 'admin' || admins.has(record.body.member)) continue;
      admins.add(record.body.member);
      waiting.push(record.body.member);
    }
  }
  return records.filter(
    ({ kind, body }) =>
      admins.has(body.admin) || (kind === 'revocation' && body.admin === body.member && granted.has(body.member)),
  );
}
