import { beforeEach, describe, expect, it } from 'vitest';
import { FailureError } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import type { Role } from '../../../shared/domain/member.ts';
import { pinMachine, standingOf } from '../../../src-main/services/pins.ts';
import type { MembershipSet } from '../../../src-main/swarm/membership-set.ts';
import { LocalReplica } from './fakes.ts';

const box = nodeId('box');
let replica: LocalReplica;
beforeEach(() => {
  replica = new LocalReplica();
});

const peerOf = (role: Role) => ({
  self: replica.self,
  replica,
  membership: { member: () => ({ name: 'anna', role }) } as unknown as MembershipSet,
});

describe('pinning a machine', () => {
  it('puts the wish of an admin into the log, under the name of their machine', async () => {
    await pinMachine(peerOf('admin'), box, 'never-coordinate');
    expect(replica.commands).toEqual([{ type: 'rank-pinned', node: box, pin: 'never', by: 'anna' }]);
    expect(standingOf(peerOf('admin'), box)).toEqual({ pin: 'never-coordinate', rank: 0 });
    await pinMachine(peerOf('admin'), box, 'home-base');
    expect(standingOf(peerOf('admin'), box)).toEqual({ pin: 'home-base', rank: 200 });
  });

  it('is refused to other roles, with what to do instead', async () => {
    for (const role of ['observer', 'submitter', 'worker'] as const) {
      const refused: unknown = await pinMachine(peerOf(role), box, 'home-base').catch((error: unknown) => error);
      expect(refused instanceof FailureError && refused.failure.code).toBe('not-authorised');
    }
    expect(replica.commands).toEqual([]);
    expect(standingOf(peerOf('worker'), box)).toEqual({ pin: 'none', rank: null });
  });
});
