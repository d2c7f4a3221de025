import type { Lock as LockView } from '../../shared/contract/locks.ts';
import type { SessionId } from '../../shared/domain/ids.ts';
import type { Lock, LockDelay, LockHolder } from '../core/locks/records.ts';
import { nodeRef } from './names.ts';
import type { RunningPeer } from './running-peer.ts';

export const locksView = (peer: RunningPeer): { locks: LockView[] } => ({
  locks: peer.replica
    .state()
    .locks.list()
    .map((lock) => lockView(peer, lock)),
});

export function lockView(peer: RunningPeer, lock: Lock): LockView {
  const coordinator = peer.replica.status().coordinator;
  const reachable = new Set([peer.self, ...peer.network.peers().flatMap((link) => (link.connected ? [link.id] : []))]);
  const holderView = (holder: LockHolder): LockView['holders'][number] => ({
    node: nodeRef(peer.membership, holder.node),
    owner: holder.owner,
    label: holder.label,
    token: holder.token,
    since: holder.since,
    leaseLeftMs: coordinator === null ? null : leaseLeft(peer, holder.session),
    leaseMs: peer.replica.state().sessions.get(holder.session)?.ttlMs ?? 0,
    reachable: reachable.has(holder.node),
    mode: holder.mode.type,
    keeps: holder.keeps,
    delayMs: holder.delayMs,
  });
  const holders = lock.holders.map(holderView);
  const used = [...lock.holders, ...lock.waiters, ...lock.delays.map(({ holder }) => holder)].map(({ mode }) => mode);
  return {
    name: lock.name,
    holder: holders[0] ?? null,
    holders,
    permits: used.flatMap((mode) => (mode.type === 'permit' ? mode.permits : []))[0] ?? null,
    delays: lock.delays.map((delay) => ({
      node: nodeRef(peer.membership, delay.holder.node),
      owner: delay.holder.owner,
      token: delay.holder.token,
      at: delay.at,
      delayMs: delay.delayMs,
      leftMs: coordinator === null ? null : delayLeft(peer, lock, delay),
    })),
    waiters: lock.waiters.map((waiter) => ({
      node: nodeRef(peer.membership, waiter.node),
      owner: waiter.owner,
      label: waiter.label,
      since: waiter.since,
      mode: waiter.mode.type,
      names: [...waiter.names],
    })),
    state: stateOf(lock, coordinator !== null),
    history: lock.history.map((tenure) => ({
      node: nodeRef(peer.membership, tenure.node),
      owner: tenure.owner,
      token: tenure.token,
      grantedAt: tenure.grantedAt,
      endedAt: tenure.endedAt,
      cause: tenure.cause ?? '',
      mode: tenure.mode.type,
      remark: tenure.remark,
    })),
  };
}

function stateOf(lock: Lock, isHeard: boolean): LockView['state'] {
  if (lock.holders.length === 0 && lock.delays.length === 0) return 'free';
  if (!isHeard) return 'uncertain';
  return lock.holders.length > 0 ? 'held' : 'delayed';
}

/** The coordinator counts a lease down; the others know when they saw its renewal applied, which is never earlier. */
const leaseLeft = (peer: RunningPeer, session: SessionId): number | null =>
  peer.replica.leaseLeftMs(session) ??
  peer.hints.leaseLeftMs(session, peer.replica.state().sessions.get(session)?.ttlMs ?? 0);

/** Only the coordinator counts a delay; elsewhere null. */
const delayLeft = (peer: RunningPeer, lock: Lock, { since, delayMs }: LockDelay): number | null =>
  peer.replica.delayLeftMs(lock.name, since, delayMs);
