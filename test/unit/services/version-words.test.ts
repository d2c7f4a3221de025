import { expect, it } from 'vitest';
import { nodeId, sessionId } from '../../../shared/domain/ids.ts';
import { outdatedNotice, versionsView } from '../../../src-main/services/version-words.ts';
import type { MembershipSet } from '../../../src-main/swarm/membership-set.ts';
import { capacity } from '../core/state-machine/harness.ts';
import { LocalReplica } from './fakes.ts';

const config = { epoch: 0, id: 1, firstSlot: 1, voters: [], cuts: [] };

function swarmOf(...names: readonly string[]) {
  const replica = new LocalReplica();
  const members = names.map((name) => ({ id: nodeId(name), name }));
  const membership = {
    members: () => members,
    member: (id: string) => members.find((member) => member.id === id),
  } as unknown as MembershipSet;
  const status = replica.status();
  replica.status = () => ({ ...status, config: config as never });
  const open = (name: string, supports: number): void => {
    replica.apply({
      ...{ type: 'session-opened', session: sessionId(`${name}#aa.1`), node: nodeId(name), name, ttlMs: 1_000 },
      ...{ capacity: capacity(1), program: { version: '', supports } },
    });
  };
  return { replica, membership, open };
}

it('a swarm of several versions says which machines are waited for, until there are none', () => {
  const swarm = swarmOf('anna', 'mini', 'studio');
  swarm.open('anna', 2);
  swarm.open('mini', 1);
  expect(versionsView(swarm)).toEqual({
    level: 1,
    supports: 2,
    waitsFor: ['mini', 'studio'],
    words: 'The swarm uses level 1 of 2: what the newest version brought waits until Skein is updated on mini, studio.',
  });
  swarm.replica.state().levels.begin(2);
  expect(versionsView(swarm)).toBeNull();
});

it('a machine that is too old says what it runs, where the swarm is, and what to do', () => {
  const notice = outdatedNotice({ level: 3, supports: 2 });
  expect(notice).toContain('This machine runs Skein');
  expect(notice).toContain('the swarm has moved to level 3');
  expect(notice).toContain('Update Skein on this machine');
});
