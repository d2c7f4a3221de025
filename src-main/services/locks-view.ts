import type { Lock as LockView } from '../../shared/contract/locks.ts';
import type { SessionId } from '../../shared/domain/ids.ts';
import type { Lock } from '../core/locks/lock-table.ts';
import { nodeRef } from './names.ts';
import type { RunningPeer } from './running-peer.ts';

export const locksView = (peer: RunningPeer): { locks: LockView[] } => ({
  locks: peer.replica
    .state()
    .locks.list()
    .map((lock) => lockView(peer, lock)),
});

function lockView(peer: RunningPeer, lock: Lock): LockView {
  const { holder } = lock;
  const coordinator = peer.replica.status().coordinator;
  const reachable = new Set([peer.self, ...peer.network.peers().flatMap((link) => (link.connected ? [link.id] : []))]);
  return {
    name: lock.name,
    holder:
      holder === null
        ? null
        : {
            node: nodeRef(peer.membership, holder.node),
            owner: holder.owner,
            label: holder.label,
            token: holder.token,
            since: holder.since,
            leaseLeftMs: coordinator === null ? null : leaseLeft(peer, holder.session),
            leaseMs: peer.replica.state().sessions.get(holder.session)?.ttlMs ?? 0,
            reachable: reachable.has(holder.node),
          },
    waiters: lock.waiters.map((waiter) => ({
      node: nodeRef(peer.membership, waiter.node),
      owner: waiter.owner,
      label: waiter.label,
      since: waiter.since,
    })),
    state: coordinator === null && holder !== null ? 'uncertain' : holder === null ? 'free' : 'held',
    history: lock.history.map((tenure) => ({
      node: nodeRef(peer.membership, tenure.node),
      owner: tenure.owner,
      token: tenure.token,
      grantedAt: tenure.grantedAt,
      endedAt: tenure.endedAt,
      cause: tenure.cause ?? '',
    })),
  };
}

/** The coordinator counts a lease down; the others know when they saw its renewal applied, which is never earlier. */
const leaseLeft = (peer: RunningPeer, session: SessionId): number | null =>
  peer.replica.leaseLeftMs(session) ??
  peer.hints.leaseLeftMs(session, peer.replica.state().sessions.get(session)?.ttlMs ?? 0);
