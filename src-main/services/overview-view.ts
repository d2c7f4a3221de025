import type { Overview } from '../../shared/contract/swarm.ts';
import { showBallot } from '../core/paxos/ballot.ts';
import { quorumOf } from '../core/paxos/voters.ts';
import { liveCount } from '../core/tasks/job.ts';
import { whyWaiting, workersOf } from './jobs-view.ts';
import { divergenceReason, divergenceText, isRecent } from './divergence-words.ts';
import { nodeRef } from './names.ts';
import type { PeerHolder, RunningPeer } from './running-peer.ts';
import { outdatedNotice, versionsView } from './version-words.ts';

export interface SelfFacts {
  readonly version: string;
  readonly home: string;
  readonly name: string;
  readonly startedAt: number;
  readonly slots: number;
  readonly paused: { readonly until: number | null } | null;
  /** What is the matter with this machine's disk, for a machine that has a vote or not; empty when nothing is. */
  readonly diskNotice: (votes: boolean) => string;
  /** The disk has stopped this machine: what it shows is what it knew then. */
  readonly diskHalted: () => boolean;
}

/** The overview of a machine, in a swarm or not. */
export function overviewOf(holder: PeerHolder, facts: SelfFacts): Overview {
  const { current } = holder;
  return current === null ? withoutSwarm(holder, facts) : withSwarm(current, facts);
}

function withoutSwarm(holder: PeerHolder, facts: SelfFacts): Overview {
  return {
    version: facts.version,
    self: {
      id: holder.self,
      name: facts.name,
      role: 'learner',
      addresses: [],
      home: facts.home,
      startedAt: facts.startedAt,
      slots: facts.slots,
      running: 0,
      paused: facts.paused,
    },
    swarm: null,
    state: 'none',
    message: 'This machine belongs to no swarm yet.',
    members: { total: 0, reachable: 0 },
    versions: null,
    coordinator: null,
    quorum: { voters: [], reachable: 0, needed: 0, mayFail: 0 },
    log: { committed: 0, applied: 0, configId: 0 },
    tasks: { waiting: 0, running: 0, succeeded: 0, failed: 0, slotsUsed: 0, slotsTotal: 0 },
    locks: { held: 0, waiting: 0 },
    insight: '',
    activity: [],
  };
}

function withSwarm(peer: RunningPeer, facts: SelfFacts): Overview {
  const status = peer.replica.status();
  const members = peer.membership.members();
  const connected = new Set([peer.self, ...peer.network.peers().flatMap((link) => (link.connected ? [link.id] : []))]);
  const quorum = quorumView(peer, connected);
  const reachable = members.filter((member) => connected.has(member.id)).length;
  const { state, message } = withDisk(facts, standing(peer, quorum, members.length), status.role);
  return {
    version: facts.version,
    self: {
      id: peer.self,
      name: nodeRef(peer.membership, peer.self).name,
      // A halted machine is nothing in the swarm, whatever it last was.
      role: facts.diskHalted() ? 'learner' : status.role,
      addresses: [...peer.network.addresses()],
      home: facts.home,
      startedAt: facts.startedAt,
      slots: facts.slots,
      running: peer.executor.running,
      paused: facts.paused,
    },
    swarm: { id: peer.membership.swarm, name: peer.membership.genesis.name },
    state,
    message,
    members: { total: members.length, reachable },
    versions: versionsView(peer),
    coordinator: coordinatorView(peer),
    quorum,
    log: {
      committed: status.committed,
      applied: status.applied,
      configId: status.config?.id ?? 0,
      // A machine that is alone has one copy of everything, and says so as `alone`.
      singleCopies: members.length > 1 ? status.singleCopies : null,
    },
    tasks: taskNumbers(peer),
    locks: lockNumbers(peer),
    insight: insightOf(peer),
    activity: [...peer.activity.entries()],
  };
}

function quorumView(peer: RunningPeer, connected: ReadonlySet<string>): Overview['quorum'] {
  const { config } = peer.replica.status();
  if (config === null) return { voters: [], reachable: 0, needed: 1, mayFail: 0 };
  const voters = config.voters.map((voter) => ({
    node: nodeRef(peer.membership, voter.node),
    rank: voter.rank,
    reachable: connected.has(voter.node),
  }));
  const needed = quorumOf(config);
  const reachable = voters.filter((voter) => voter.reachable).length;
  return { voters, reachable, needed, mayFail: Math.max(0, reachable - needed) };
}

function standing(
  peer: RunningPeer,
  quorum: Overview['quorum'],
  memberCount: number,
): { state: Overview['state']; message: string } {
  const { coordinator, config, outdated } = peer.replica.status();
  if (outdated !== null) return { state: 'degraded', message: outdatedNotice(outdated) };
  const seconds = Math.round(peer.hints.coordinatorSilentMs() / 1_000);
  if (coordinator === null && config === null) {
    return { state: 'electing', message: 'This machine has joined and waits to hear from a coordinator.' };
  }
  if (coordinator === null && quorum.reachable < quorum.needed) {
    const gone = quorum.voters.filter((voter) => !voter.reachable).map((voter) => voter.node.name);
    return {
      state: 'no-quorum',
      message: `No majority for ${seconds} s: ${quorum.reachable} of ${quorum.voters.length} voters can be reached, ${quorum.needed} are needed. ${gone.join(' and ')} ${gone.length === 1 ? 'is' : 'are'} missing. New tasks and locks wait; running tasks go on.`,
    };
  }
  if (coordinator === null)
    return { state: 'electing', message: `No coordinator for ${seconds} s: the voters are choosing one.` };
  if (memberCount === 1) return { state: 'alone', message: '' };
  const disputed = disputeText(peer);
  if (disputed !== null) return { state: 'degraded', message: disputed };
  const single = peer.replica.status().singleCopies;
  if (single !== null) {
    const entries = single.count === 1 ? 'The newest entry of the log is' : `${single.count} entries of the log are`;
    return { state: 'degraded', message: `${entries} on one disk only: no other machine has confirmed a copy yet.` };
  }
  const missing = quorum.voters.filter((voter) => !voter.reachable);
  if (missing.length > 0) {
    const spare = quorum.mayFail === 0 ? 'one more failure stops new work' : `${quorum.mayFail} more may fail`;
    return {
      state: 'degraded',
      message: `${missing.map((voter) => voter.node.name).join(' and ')} cannot be reached: ${spare}.`,
    };
  }
  return { state: 'healthy', message: '' };
}

/** Two copies differ and nobody can tell which is right: that is for people. Null as a rule. */
function disputeText(peer: RunningPeer): string | null {
  const { committed } = peer.replica.status();
  const disputed = peer.coordination.divergences().find((one) => !one.settled && isRecent(one, committed));
  if (disputed === undefined) return null;
  const text = divergenceText(disputed, (node) => nodeRef(peer.membership, node).name);
  return `${text}: ${divergenceReason(disputed)}.`;
}

/** The machine's own trouble goes first: it is what this person can mend. */
function withDisk(
  facts: SelfFacts,
  shown: { readonly state: Overview['state']; readonly message: string },
  role: Overview['self']['role'],
): { state: Overview['state']; message: string } {
  const notice = facts.diskNotice(role !== 'learner');
  if (notice === '') return shown;
  if (facts.diskHalted()) return { state: 'degraded', message: notice };
  const state = shown.state === 'healthy' || shown.state === 'alone' ? 'degraded' : shown.state;
  return { state, message: shown.message === '' ? notice : `${notice} ${shown.message}` };
}

function coordinatorView(peer: RunningPeer): Overview['coordinator'] {
  const { coordinator, ballot } = peer.replica.status();
  if (coordinator === null) return null;
  const since = peer.hints.coordinatorSince();
  return {
    node: nodeRef(peer.membership, coordinator),
    ballot: ballot === null ? '' : showBallot(ballot),
    since: since.at,
    reason: since.reason,
  };
}

function taskNumbers(peer: RunningPeer): Overview['tasks'] {
  const { tasks } = peer.replica.state();
  const numbers = { waiting: 0, running: 0, succeeded: 0, failed: 0, slotsUsed: 0, slotsTotal: 0 };
  for (const { counts } of tasks.jobs()) {
    numbers.waiting += counts.waiting;
    numbers.running += liveCount(counts);
    numbers.succeeded += counts.succeeded;
    numbers.failed += counts.failed + counts['timed-out'];
  }
  for (const worker of workersOf(peer)) {
    numbers.slotsUsed += tasks.slotsUsed(worker.node);
    numbers.slotsTotal += worker.slots;
  }
  return numbers;
}

function lockNumbers(peer: RunningPeer): Overview['locks'] {
  const locks = peer.replica.state().locks.list();
  return {
    held: locks.filter((lock) => lock.holders.length > 0).length,
    waiting: locks.reduce((sum, lock) => sum + lock.waiters.length, 0),
  };
}

/** Only worth a line when machines are idle and work waits all the same. */
function insightOf(peer: RunningPeer): string {
  const { tasks } = peer.replica.state();
  const idle = workersOf(peer).filter((worker) => worker.slots > tasks.slotsUsed(worker.node));
  if (idle.length === 0) return '';
  for (const job of tasks.jobs()) {
    const why = job.counts.waiting > 0 ? whyWaiting(peer, job) : '';
    if (why === '') continue;
    const who =
      idle.length === 1
        ? `${nodeRef(peer.membership, idle[0]?.node ?? peer.self).name} has`
        : `${idle.length} machines have`;
    return `${who} free slots while ${job.counts.waiting} tasks of job ${job.id} wait: ${why}.`;
  }
  return '';
}
