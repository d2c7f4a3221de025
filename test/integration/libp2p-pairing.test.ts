import { afterEach, beforeEach, expect, test } from 'vitest';
import { wallTime } from '../../shared/domain/ids.ts';
import type { WallTime } from '../../shared/domain/ids.ts';
import { createIdentity } from '../../src-main/adapters/libp2p/identity.ts';
import type { Identity } from '../../src-main/adapters/libp2p/identity.ts';
import { createInviter } from '../../src-main/adapters/libp2p/inviter.ts';
import type { Inviter, JoinRequest } from '../../src-main/adapters/libp2p/inviter.ts';
import { joinWithLink } from '../../src-main/adapters/libp2p/join.ts';
import { formatInvitation } from '../../src-main/swarm/invitation.ts';
import type { MembershipSet } from '../../src-main/swarm/membership-set.ts';
import { foundSwarm } from '../../src-main/swarm/swarm-file.ts';
import { must, quiet } from './libp2p-swarm.ts';

let founder: Identity;
let membership: MembershipSet;
let inviter: Inviter;
let requests: JoinRequest[];
let answer: boolean;
let now: WallTime;

beforeEach(async () => {
  founder = await createIdentity();
  now = wallTime(1_000_000);
  membership = must(foundSwarm(founder, { name: 'home', founderName: 'desk', now }));
  requests = [];
  answer = true;
  inviter = createInviter({
    identity: founder,
    membership,
    listenHost: '127.0.0.1',
    memberAddresses: () => [`/ip4/127.0.0.1/tcp/4100/p2p/${founder.id}`],
    confirm: (request) => {
      requests.push(request);
      return Promise.resolve(answer);
    },
    now: () => now,
    logger: quiet,
  });
});
afterEach(async () => {
  await inviter.close();
});

const open = async (autoApprove = false) => must(await inviter.open({ role: 'worker', ttlMs: 60_000, autoApprove }));
const join = async (link: string) =>
  joinWithLink(link, { identity: await createIdentity(), name: 'laptop', os: 'linux x64', now: () => now });
const codeOf = (result: Awaited<ReturnType<typeof join>>): string => (result.ok ? 'joined' : result.failure.code);

test('a confirmed joiner becomes a member, and both screens show the same words', async () => {
  const identity = await createIdentity();
  const { link } = await open();
  const shown: (readonly string[])[] = [];
  const joined = must(
    await joinWithLink(link, {
      identity,
      name: 'laptop',
      os: 'linux x64',
      onWords: (words) => shown.push(words),
      now: () => now,
    }),
  );
  expect(joined.membership.encode()).toBe(membership.encode());
  expect(membership.member(identity.id)).toMatchObject({ name: 'laptop', role: 'worker' });
  expect(joined).toMatchObject({ role: 'worker', addresses: [`/ip4/127.0.0.1/tcp/4100/p2p/${founder.id}`] });
  expect(shown).toEqual([requests[0]?.words]);
  expect(requests).toMatchObject([{ member: identity.id, name: 'laptop', os: 'linux x64', role: 'worker' }]);
});

test('an invitation serves once', async () => {
  const { link } = await open(true);
  expect([codeOf(await join(link)), codeOf(await join(link))]).toEqual(['joined', 'invitation-used']);
  expect(requests).toEqual([]);
});

test('an expired invitation is refused by the inviter', async () => {
  const { link } = await open();
  now = wallTime(now + 60_000);
  expect(codeOf(await join(link))).toBe('invitation-expired');
  expect(membership.members()).toHaveLength(1);
});

test('a wrong secret is refused, and three of them end the invitation', async () => {
  const { link, invitation } = await open();
  const wrong = formatInvitation({ ...invitation, secret: '00'.repeat(16) });
  const codes = [await join(wrong), await join(wrong), await join(wrong), await join(link)].map(codeOf);
  expect(codes).toEqual([
    'invitation-wrong-secret',
    'invitation-wrong-secret',
    'invitation-wrong-secret',
    'invitation-wrong-secret',
  ]);
  expect(membership.members()).toHaveLength(1);
});

test('an invitation for another swarm or from another machine is foreign', async () => {
  const { invitation } = await open();
  const stranger = await createIdentity();
  const otherSwarm = formatInvitation({
    ...invitation,
    swarm: must(foundSwarm(stranger, { name: 'x', founderName: 'y', now })).swarm,
  });
  const otherMachine = formatInvitation({ ...invitation, inviter: stranger.id });
  expect([codeOf(await join(otherSwarm)), codeOf(await join(otherMachine))]).toEqual([
    'invitation-foreign',
    'invitation-foreign',
  ]);
});

test('a denied joiner is told so and does not get in', async () => {
  answer = false;
  const { link } = await open();
  expect(codeOf(await join(link))).toBe('invitation-denied');
  expect(membership.members()).toHaveLength(1);
});

test('a truncated link is malformed, and a closed invitation unreachable', async () => {
  const { link, close } = await open();
  await close();
  expect([codeOf(await join(link.slice(0, -3))), codeOf(await join(link))]).toEqual([
    'invitation-malformed',
    'peer-unreachable',
  ]);
});
