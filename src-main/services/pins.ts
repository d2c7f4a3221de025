import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { CoordinationPin } from '../../shared/domain/member.ts';
import { voterIn } from '../core/paxos/voters.ts';
import { nodeRef } from './names.ts';
import { valueOf, type RunningPeer } from './running-peer.ts';

type Pinning = Pick<RunningPeer, 'self' | 'replica' | 'membership'>;

/** What is asked of a machine as coordinator, and how much it is wanted, as the log says. */
export function standingOf(peer: Pinning, node: NodeId): { pin: CoordinationPin; rank: number | null } {
  const { ranks } = peer.replica.state();
  const { config } = peer.replica.status();
  const seat = config === null ? undefined : voterIn(config, node);
  const pin = ranks.pinOf(node);
  return { pin: pin === 'never' ? 'never-coordinate' : pin, rank: ranks.rankOf(node) ?? seat?.rank ?? null };
}

/** Puts the wish into the log. Throws `not-authorised` where this machine is no admin, and what the log refuses. */
export async function pinMachine(peer: Pinning, node: NodeId, pin: CoordinationPin): Promise<void> {
  if (peer.membership.member(peer.self)?.role !== 'admin') {
    throw new FailureError(
      fail(
        'not-authorised',
        'Only an admin can say which machine decides for all.',
        'Run this on a machine with the admin role: skein peer list shows the roles.',
      ).failure,
    );
  }
  const by = nodeRef(peer.membership, peer.self).name;
  const said = pin === 'never-coordinate' ? 'never' : pin;
  valueOf(await peer.replica.propose({ type: 'rank-pinned', node, pin: said, by }));
}
