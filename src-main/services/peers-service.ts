import { FailureError, fail } from '../../shared/domain/failure.ts';
import { nodeId, wallTime, type NodeId } from '../../shared/domain/ids.ts';
import type { AcceptPolicy } from '../../shared/domain/member.ts';
import type { SkeinServices } from '../api/services.ts';
import type { Clock } from '../ports/clock.ts';
import type { Changes } from './live-view.ts';
import { memberNamed, nodeRef } from './names.ts';
import { peersView } from './peers-view.ts';
import { pinMachine } from './pins.ts';
import { inForce, type OwnerPolicy, type PolicyFile } from './policy.ts';
import { provenanceOf } from './provenance.ts';
import { requirePeer, valueOf, type PeerHolder } from './running-peer.ts';

type PeersFrame = Awaited<ReturnType<SkeinServices['peers']['list']>>;

/** Who is here, and how far away. */
export function createPeersService(holder: PeerHolder, changes: Changes): SkeinServices['peers'] {
  const listed = (): PeersFrame => {
    const peer = holder.current;
    return {
      sequence: changes.sequence,
      provenance: provenanceOf(peer),
      view: peer === null ? { peers: [], versions: null } : peersView(peer),
    };
  };
  return {
    list: async () => listed(),
    watch: (call) => changes.watch(listed, call.signal),
    ping: async ({ id }) => {
      const peer = requirePeer(holder);
      const node = valueOf(memberNamed(peer.membership, id));
      return { rttMs: node === peer.self ? 0 : valueOf(await peer.network.ping(node)) };
    },
    pin: async ({ id, pin }) => {
      const peer = requirePeer(holder);
      await pinMachine(peer, valueOf(memberNamed(peer.membership, id)), pin);
      return { pin };
    },
    closest: async ({ key }) => {
      const peer = requirePeer(holder);
      const found = await peer.network.closestPeers(Buffer.from(key, 'utf8'));
      return {
        keyHash: found.keyHash,
        peers: found.peers.map((near) => ({ ...nodeRef(peer.membership, near.id), commonBits: near.commonBits })),
      };
    },
  };
}

export interface PolicyServiceOptions {
  readonly holder: PeerHolder;
  readonly policy: PolicyFile;
  readonly changes: Changes;
  readonly clock: Clock;
}

/** The word of this machine's owner. Only people at this machine can change it. */
export function createPolicyService({ holder, policy, changes, clock }: PolicyServiceOptions): SkeinServices['policy'] {
  type Shown = Awaited<ReturnType<SkeinServices['policy']['get']>>;
  const shown = (): Shown => {
    const { accepts, slots } = policy.current;
    const { paused } = inForce(policy.current, clock.wall());
    return {
      accepts: accepts.from === 'listed' ? { from: 'listed', members: [...accepts.members] } : accepts,
      slots,
      paused,
    };
  };
  const changed = async (change: Partial<OwnerPolicy>, what: string): Promise<Shown> => {
    await policy.set(change);
    changes.changed();
    // The policy is in force here already; telling the others only spares them useless assignments.
    void holder.current?.keeper.announceCapacity();
    holder.current?.activity.note('policy', what);
    return shown();
  };
  // A machine may sleep through the end of its pause, so the wall clock is looked at now and then.
  const pauseLookMs = 60_000;
  let cancelLook = (): void => undefined;
  const awaitPauseEnd = (): void => {
    cancelLook();
    const until = policy.current.paused?.until ?? null;
    if (until === null) return;
    const leftMs = until - clock.wall();
    cancelLook = clock.setTimer(Math.max(0, Math.min(leftMs, pauseLookMs)), () => {
      if (clock.wall() < until) return awaitPauseEnd();
      // Written or not, the pause is over: it ends by the clock, and only the news of it could not be kept.
      changed({ paused: null }, 'The pause of this machine is over').catch(() => changes.changed());
    });
  };
  awaitPauseEnd();
  const paused = async (pause: OwnerPolicy['paused'], what: string): Promise<Shown> => {
    const answer = await changed({ paused: pause }, what);
    awaitPauseEnd();
    return answer;
  };
  return {
    get: async () => shown(),
    set: async ({ accepts, slots }) => {
      if (slots !== undefined && !Number.isInteger(slots))
        throw new FailureError(fail('bad-input', 'Slots are whole numbers.').failure);
      const accepted = accepts === undefined ? undefined : acceptedOf(holder, accepts);
      return changed(
        {
          ...(accepted === undefined ? {} : { accepts: accepted }),
          ...(slots === undefined ? {} : { slots }),
        },
        'The owner of this machine changed what it runs',
      );
    },
    pause: async ({ forMs }) =>
      paused(
        { until: forMs === null ? null : wallTime(clock.wall() + forMs) },
        'This machine is paused: it takes no new tasks',
      ),
    resume: async () => paused(null, 'This machine takes tasks again'),
  };
}

/** Members may be listed by name; what is kept is their id, so that nobody can take over a name. */
function acceptedOf(
  holder: PeerHolder,
  accepts: { from: 'nobody' } | { from: 'everyone' } | { from: 'listed'; members: string[] },
): AcceptPolicy {
  if (accepts.from !== 'listed') return accepts;
  const { current } = holder;
  const members: NodeId[] = accepts.members.map((member) =>
    current === null ? nodeId(member) : valueOf(memberNamed(current.membership, member)),
  );
  return { from: 'listed', members };
}
