import { FailureError, fail, type Result } from '../../shared/domain/failure.ts';
import { nodeId } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/member.ts';
import type { JoinEvent } from '../../shared/contract/swarm.ts';
import type { SkeinServices } from '../api/services.ts';
import type { Changes } from './live-view.ts';
import { memberNamed } from './names.ts';
import { overviewOf, type SelfFacts } from './overview-view.ts';
import type { PairingRequests } from './pairing-requests.ts';
import { provenanceOf } from './provenance.ts';
import { createRecoveryService } from './recovery-service.ts';
import { requirePeer, valueOf, type PeerHolder, type RunningPeer } from './running-peer.ts';

/** How a machine comes into a swarm and out of it. Each leaves a running peer behind, or none. */
export interface SwarmDoor {
  /** Fails with `already-exists` while this machine is in a swarm. */
  found(name: string): Promise<RunningPeer>;
  join(
    link: string,
    signal: AbortSignal,
    onWords: (words: readonly string[]) => void,
  ): Promise<{ readonly peer: RunningPeer; readonly role: Role; readonly words: readonly string[] }>;
  invite(options: { readonly role: Role; readonly ttlMs: number; readonly autoApprove: boolean }): Promise<
    Result<{
      readonly link: string;
      readonly expiresAt: number;
      readonly role: Role;
      readonly addresses: readonly string[];
    }>
  >;
  leave(): Promise<void>;
  revoke(member: string, reason: string): Result<null>;
}

export interface SwarmServiceOptions {
  readonly holder: PeerHolder;
  readonly door: SwarmDoor;
  readonly requests: PairingRequests;
  readonly changes: Changes;
  readonly facts: () => SelfFacts;
}

/** Founding, inviting, joining, leaving, and the overview of it all. */
export function createSwarmService({
  holder,
  door,
  requests,
  changes,
  facts,
}: SwarmServiceOptions): SkeinServices['swarm'] {
  const overview = (): Awaited<ReturnType<SkeinServices['swarm']['overview']>> => ({
    sequence: changes.sequence,
    provenance: provenanceOf(holder.current),
    view: overviewOf(holder, facts()),
  });
  const requireNone = (): void => {
    const { current } = holder;
    if (current === null) return;
    const { name } = current.membership.genesis;
    throw new FailureError(
      fail('already-exists', `This machine is already in the swarm ${name}.`, 'Leave it first with “skein leave”.')
        .failure,
    );
  };
  return {
    ...createRecoveryService(holder),
    overview: async () => overview(),
    watch: (call) => changes.watch(overview, call.signal),
    create: async ({ name }) => {
      requireNone();
      const peer = await door.found(name);
      return { id: peer.membership.swarm, name: peer.membership.genesis.name };
    },
    invite: async (input) => {
      requirePeer(holder);
      const { addresses, ...invitation } = valueOf(await door.invite(input));
      return { ...invitation, addresses: [...addresses] };
    },
    join: ({ link }, call) => {
      requireNone();
      return joining(door, link, call.signal);
    },
    leave: async () => {
      refuseToOrphan(requirePeer(holder));
      await door.leave();
      return { left: true };
    },
    requests: async () => requests.list(),
    decide: async ({ id, admit }) => {
      if (!requests.decide(id, admit))
        throw new FailureError(
          fail('not-found', 'That machine no longer waits.', 'It may have gone, or someone decided already.').failure,
        );
      return { decided: true };
    },
    revoke: async ({ member, reason }) => {
      const peer = requirePeer(holder);
      const id = valueOf(memberNamed(peer.membership, member));
      if (id === peer.self)
        throw new FailureError(fail('bad-input', 'This is the machine itself.', 'Use “skein leave” on it.').failure);
      valueOf(door.revoke(nodeId(id), reason));
      return { revoked: true };
    },
  };
}

/** The words as soon as both sides know them, then the membership. */
async function* joining(door: SwarmDoor, link: string, signal: AbortSignal): AsyncGenerator<JoinEvent, void, void> {
  const known = Promise.withResolvers<readonly string[]>();
  const joined = door.join(link, signal, known.resolve);
  const compare = await Promise.race([known.promise, joined.then(() => null)]);
  if (compare !== null) yield { type: 'compare', words: [...compare] };
  const { peer, role, words } = await joined;
  const { swarm: id, genesis } = peer.membership;
  yield { type: 'joined', id, name: genesis.name, role, words: [...words] };
}

/** A swarm whose last admin left could never admit anyone again. */
function refuseToOrphan(peer: RunningPeer): void {
  const others = peer.membership.members().filter((member) => member.id !== peer.self);
  const isAdmin = peer.membership.member(peer.self)?.role === 'admin';
  if (!isAdmin || others.length === 0 || others.some((member) => member.role === 'admin')) return;
  throw new FailureError(
    fail(
      'precondition-failed',
      'This machine is the only admin: without it nobody could be invited or removed any more.',
      'Invite another machine with the admin role first.',
    ).failure,
  );
}
