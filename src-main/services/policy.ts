import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { FailureError } from '../../shared/domain/failure.ts';
import { nodeId, wallTime, type WallTime } from '../../shared/domain/ids.ts';
import type { AcceptPolicy } from '../../shared/domain/member.ts';
import { readSmallFile, writeFileAtomically } from '../swarm/atomic-file.ts';
import { parseJson } from './node-record.ts';
import { isRecord } from './stream-messages.ts';

const fileBytesMax = 256 * 1_024;
export const slotsMax = 1_024;

/** The word of this machine's owner. It never leaves this machine as a command, only as information. */
export interface OwnerPolicy {
  readonly accepts: AcceptPolicy;
  readonly slots: number;
  /** No new tasks until then, or until somebody says so where `until` is null. */
  readonly paused: { readonly until: WallTime | null } | null;
}

/** What is in force at that time: a paused machine has no slots for anybody. */
export function inForce(policy: OwnerPolicy, at: WallTime): OwnerPolicy {
  const { paused } = policy;
  if (paused === null) return policy;
  return paused.until !== null && paused.until <= at ? { ...policy, paused: null } : { ...policy, slots: 0 };
}

/** Keeps the owner's policy in `policy.json`. A damaged file means "nobody": the safe side. */
export class PolicyFile {
  readonly #path: string;
  #policy: OwnerPolicy;

  private constructor(path: string, policy: OwnerPolicy) {
    this.#path = path;
    this.#policy = policy;
  }

  /** `slots`: what the starter of this process asks for, above what the file says. Throws a FailureError of the disk. */
  static async open(home: string, slots: number | undefined): Promise<PolicyFile> {
    const path = join(home, 'policy.json');
    const found = await readSmallFile(path, fileBytesMax);
    if (!found.ok) throw new FailureError(found.failure);
    const kept = found.value === null ? null : policyOf(parseJson(found.value.toString('utf8')));
    const policy = kept ?? { accepts: { from: 'nobody' }, slots: availableParallelism(), paused: null };
    return new PolicyFile(path, slots === undefined ? policy : { ...policy, slots: Math.min(slots, slotsMax) });
  }

  get current(): OwnerPolicy {
    return this.#policy;
  }

  /** In force from this call on, and on disk when it resolves. Throws a FailureError of the disk. */
  async set(change: Partial<OwnerPolicy>): Promise<OwnerPolicy> {
    const before = this.#policy;
    const next = { ...before, ...change };
    const written = await writeFileAtomically(this.#path, `${JSON.stringify(next)}\n`);
    if (!written.ok) throw new FailureError(written.failure);
    this.#policy = next;
    return next;
  }
}

function policyOf(value: unknown): OwnerPolicy | null {
  if (!isRecord(value) || !isRecord(value['accepts'])) return null;
  const { slots } = value;
  const { from, members } = value['accepts'];
  if (typeof slots !== 'number' || !Number.isSafeInteger(slots) || slots < 0 || slots > slotsMax) return null;
  const paused = pauseOf(value['paused']);
  if (from === 'nobody' || from === 'everyone') return { accepts: { from }, slots, paused };
  if (from !== 'listed' || !Array.isArray(members) || !members.every((member) => typeof member === 'string'))
    return null;
  return { accepts: { from, members: members.map((member: string) => nodeId(member)) }, slots, paused };
}

function pauseOf(value: unknown): OwnerPolicy['paused'] {
  if (!isRecord(value)) return null;
  const { until } = value;
  return { until: typeof until === 'number' && Number.isFinite(until) ? wallTime(until) : null };
}
