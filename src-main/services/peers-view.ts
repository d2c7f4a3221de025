import type { Peer, PeersView } from '../../shared/contract/peers.ts';
import type { AcceptPolicy } from '../../shared/domain/member.ts';
import { voterIn } from '../core/paxos/voters.ts';
import type { Member } from '../swarm/membership-set.ts';
import { nodeRef } from './names.ts';
import { standingOf } from './pins.ts';
import type { RunningPeer } from './running-peer.ts';
import { versionsView } from './version-words.ts';

export const peersView = (peer: RunningPeer): PeersView => ({
  peers: peer.membership.members().map((member) => peerView(peer, member)),
  versions: versionsView(peer),
});

function peerView(peer: RunningPeer, member: Member): Peer {
  const { id } = member;
  const self = id === peer.self;
  const status = peer.replica.status();
  const state = peer.replica.state();
  const session = state.sessions.ofNode(id);
  const link = peer.network.peers().find((other) => other.id === id);
  const online = self || link?.connected === true;
  const voter = status.config === null ? undefined : voterIn(status.config, id);
  const load = peer.hints.load(id);
  const program = state.levels.programOf(id);
  return {
    id,
    name: member.name,
    self,
    role: member.role,
    state: online ? 'online' : session !== null || peer.hints.lastSeen(id) !== null ? 'unreachable' : 'never-seen',
    voter: voter !== undefined,
    coordinator: status.coordinator === id,
    ...standingOf(peer, id),
    os: session?.capacity.os ?? '',
    arch: session?.capacity.arch ?? '',
    memoryBytes: session?.capacity.memoryBytes ?? null,
    slots: session?.capacity.slots ?? null,
    running: state.tasks.slotsUsed(id),
    load: load?.load ?? null,
    loadAgeMs: peer.hints.loadAgeMs(id),
    version: program?.version ?? '',
    supports: program?.supports ?? null,
    accepts: session === null ? 'not here' : acceptWords(peer, session.capacity.accepts, session.capacity.slots),
    rttMs: self ? 0 : peer.hints.roundTripMs(id),
    addresses: self ? [...peer.network.addresses()] : [...(link?.addresses ?? [])],
    committed: self ? status.committed : (peer.replica.progress().get(id) ?? null),
    lastSeen: online ? Date.now() : peer.hints.lastSeen(id),
    joinedAt: member.joinedAt,
  };
}

function acceptWords(peer: RunningPeer, accepts: AcceptPolicy, slots: number): string {
  if (slots === 0) return 'runs no tasks';
  switch (accepts.from) {
    case 'nobody':
      return 'only its own work';
    case 'everyone':
      return 'work of every member';
    case 'listed':
      return `work of ${accepts.members.map((member) => nodeRef(peer.membership, member).name).join(', ')}`;
  }
}
