import type { ConsensusView, ReplicaView } from '../../shared/contract/consensus.ts';
import type { NodeId, Slot } from '../../shared/domain/ids.ts';
import { quorumOf, voterIn, type VoterConfig } from '../core/paxos/voters.ts';
import { divergenceReason, divergenceText, isRecent } from './divergence-words.ts';
import { nodeRef } from './names.ts';
import { standingOf } from './pins.ts';
import type { RunningPeer } from './running-peer.ts';

/** Ballot, configuration, replicas and history as this machine knows them. */
export function consensusView(peer: RunningPeer): ConsensusView {
  const { role, coordinator, config, committed, applied, ...known } = peer.replica.status();
  const ballot = known.ballot ?? peer.coordination.lastBallot;
  const since = peer.hints.coordinatorSince();
  const connected = connectedTo(peer);
  const ref = (node: NodeId): ReturnType<typeof nodeRef> => nodeRef(peer.membership, node);
  const quorum = quorumOfView(peer, config, connected);
  return {
    self: ref(peer.self),
    role,
    coordinator: coordinator === null ? null : { node: ref(coordinator), since: since.at, reason: since.reason },
    ballot: ballot === null ? null : { ...ballot, voter: ref(ballot.voter) },
    config:
      config === null
        ? null
        : { epoch: config.epoch, id: config.id, firstSlot: config.firstSlot, voters: config.voters.length },
    quorum,
    replicas: replicasOf(peer, config, connected),
    log: {
      committed,
      applied,
      snapshot: peer.coordination.snapshot,
      journalBytes: peer.journalBytes(),
      singleCopies: singleCopiesOf(peer, config),
      comparedSlot: known.comparedSlot,
    },
    divergences: divergencesOf(peer, committed),
    sync: peer.diskTiming.figures(),
    waits: coordinator === null ? waitsOf(peer, config, connected) : [],
    history: peer.coordination.events().map((event) => ({
      ...event,
      node: event.node === null ? null : ref(event.node),
    })),
  };
}

function divergencesOf(peer: RunningPeer, committed: Slot): ConsensusView['divergences'] {
  return peer.coordination
    .divergences()
    .filter((divergence) => isRecent(divergence, committed))
    .map((divergence) => ({
      node: nodeRef(peer.membership, divergence.node),
      slot: divergence.slot,
      text: divergenceText(divergence, (node) => nodeRef(peer.membership, node).name),
      reason: divergenceReason(divergence),
      settled: divergence.settled,
    }));
}

const connectedTo = (peer: RunningPeer): ReadonlySet<string> =>
  new Set([peer.self, ...peer.network.peers().flatMap((link) => (link.connected ? [link.id] : []))]);

/** Voters in the order of their configuration, then learners by name. */
function replicasOf(
  peer: RunningPeer,
  config: VoterConfig | null,
  connected: ReadonlySet<string>,
): ConsensusView['replicas'] {
  const voters = config?.voters.map((voter) => voter.node) ?? [];
  const learners = peer.membership
    .members()
    .map((member) => member.id)
    .filter((id) => !voters.includes(id))
    .sort((left, right) => (nodeRef(peer.membership, left).name < nodeRef(peer.membership, right).name ? -1 : 1));
  return [...voters, ...learners].map((node) => replicaView(peer, node, config, connected.has(node)));
}

function replicaView(peer: RunningPeer, node: NodeId, config: VoterConfig | null, reachable: boolean): ReplicaView {
  const { committed: here, coordinator } = peer.replica.status();
  const self = node === peer.self;
  const seat = config === null ? undefined : voterIn(config, node);
  const said = peer.hints.replica(node);
  // The coordinator counts acknowledgements; elsewhere there is what each machine last said of itself.
  const counted = peer.replica.progress().get(node);
  const committed = self ? here : (counted ?? said?.slot ?? null);
  const ageMs = self || counted !== undefined ? 0 : (said?.ageMs ?? null);
  const own = peer.diskTiming.figures();
  return {
    node: nodeRef(peer.membership, node),
    self,
    voter: seat !== undefined,
    coordinator: node === coordinator,
    ...standingOf(peer, node),
    incarnation: seat?.incarnation ?? null,
    reachable,
    committed,
    lagEntries: committed === null ? null : Math.max(0, here - committed),
    saidAgeMs: committed === null ? null : ageMs,
    roundTripMs: self ? 0 : peer.hints.roundTripMs(node),
    sync: self ? (own === null ? null : { p50Ms: own.p50Ms, p99Ms: own.p99Ms }) : (said?.sync ?? null),
    lastSeen: self ? null : peer.hints.lastSeen(node),
  };
}

function quorumOfView(
  peer: RunningPeer,
  config: VoterConfig | null,
  connected: ReadonlySet<string>,
): ConsensusView['quorum'] {
  if (config === null)
    return { needed: 1, reachable: 0, mayFail: 0, words: 'This machine has not heard yet who votes.' };
  const needed = quorumOf(config);
  const count = config.voters.length;
  const reachable = config.voters.filter((voter) => connected.has(voter.node)).length;
  const mayFail = Math.max(0, reachable - needed);
  return {
    needed,
    reachable,
    mayFail,
    words: failureWords(count, reachable, needed, mayFail, loneVoter(peer, config)),
  };
}

/** A machine that is alone has one copy of everything, and is shown as alone instead. */
function singleCopiesOf(peer: RunningPeer, config: VoterConfig | null): ConsensusView['log']['singleCopies'] {
  const only = config?.voters.length === 1 ? config.voters[0]?.node : undefined;
  const others = peer.membership.members().filter((member) => member.id !== only);
  if (only === undefined || others.length === 0) return null;
  const { committed } = peer.replica.status();
  const held = (node: NodeId): number =>
    node === peer.self ? committed : (peer.replica.progress().get(node) ?? peer.hints.replica(node)?.slot ?? 0);
  const second = Math.max(...others.map((member) => held(member.id)));
  return second >= committed ? null : { firstSlot: second + 1, count: committed - second };
}

/** The name of the only voter, where there is one. */
function loneVoter(peer: RunningPeer, config: VoterConfig): string {
  const [only] = config.voters;
  if (only === undefined || config.voters.length !== 1) return '';
  const { name } = nodeRef(peer.membership, only.node);
  return standingOf(peer, only.node).pin === 'home-base' ? `the home base, ${name}` : name;
}

function failureWords(count: number, reachable: number, needed: number, mayFail: number, lone: string): string {
  if (reachable < needed)
    return `${reachable} of ${count} voters can be reached and ${needed} are needed: nothing new can be decided.`;
  if (count === 1) return `Everything rests on ${lone}: while it is off, nothing new can be decided.`;
  const numbers = ['none', 'one', 'two', 'three'];
  const may = numbers[mayFail] ?? String(mayFail);
  const off = count - reachable;
  if (mayFail === 0)
    return `${off} of ${count} voters ${off === 1 ? 'is' : 'are'} off already: one more, and nothing new can be decided.`;
  return off === 0
    ? `${may[0]?.toUpperCase() ?? ''}${may.slice(1)} of ${count} voters may be off, and work goes on.`
    : `${off} of ${count} voters ${off === 1 ? 'is' : 'are'} off; ${may} more may be.`;
}

/** One sentence per missing voter, and what waits here meanwhile. */
function waitsOf(
  peer: RunningPeer,
  config: VoterConfig | null,
  connected: ReadonlySet<string>,
): ConsensusView['waits'] {
  if (config === null) return ['This machine waits for any member that knows the swarm’s state.'];
  const missing = config.voters.filter((voter) => !connected.has(voter.node));
  if (config.voters.length - missing.length >= quorumOf(config))
    return ['The voters that are here choose one of them.'];
  const { tasks, locks } = peer.replica.state();
  const waitingTasks = tasks.jobs().reduce((sum, job) => sum + job.counts.waiting, 0);
  const waiters = locks.list().reduce((sum, lock) => sum + lock.waiters.length, 0);
  const names = missing.map((voter) => nodeRef(peer.membership, voter.node).name);
  const lines = [`Everybody waits for ${names.join(' or ')} to come back: ${quorumOf(config)} voters are needed.`];
  if (waitingTasks > 0)
    lines.push(`${waitingTasks} ${waitingTasks === 1 ? 'task waits' : 'tasks wait'} for a machine.`);
  if (waiters > 0) lines.push(`${waiters} ${waiters === 1 ? 'request waits' : 'requests wait'} for a lock.`);
  return lines;
}
