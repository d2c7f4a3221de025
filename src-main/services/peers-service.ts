import { FailureError, fail } from '../../shared/domain/failure.ts';
import { nodeId, type NodeId } from '../../shared/domain/ids.ts';
import type { AcceptPolicy } from '../../shared/domain/member.ts';
import type { SkeinServices } from '../api/services.ts';
import type { Changes } from './live-view.ts';
import { memberNamed, nodeRef } from './names.ts';
import { peersView } from './peers-view.ts';
import type { PolicyFile } from './policy.ts';
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
      view: peer === null ? { peers: [] } : peersView(peer),
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

/** The word of this machine's owner. Only people at this machine can change it. */
export function createPolicyService(holder: PeerHolder, policy: PolicyFile, changes: Changes): SkeinServices['policy'] {
  const shown = (): Awaited<ReturnType<SkeinServices['policy']['get']>> => {
    const { accepts, slots } = policy.current;
    return { accepts: accepts.from === 'listed' ? { from: 'listed', members: [...accepts.members] } : accepts, slots };
  };
  return {
    get: async () => shown(),
    set: async ({ accepts, slots }) => {
      if (slots !== undefined && !Number.isInteger(slots))
        throw new FailureError(fail('bad-input', 'Slots are whole numbers.').failure);
      const accepted = accepts === undefined ? undefined : acceptedOf(holder, accepts);
      await policy.set({
        ...(accepted === undefined ? {} : { accepts: accepted }),
        ...(slots === undefined ? {} : { slots }),
      });
      changes.changed();
      // The policy is in force here already; telling the others only spares them useless assignments.
      void holder.current?.keeper.announceCapacity();
      holder.current?.activity.note('policy', 'The owner of this machine changed what it runs');
      return shown();
    },
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
