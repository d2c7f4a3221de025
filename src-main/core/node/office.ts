import type { NodeId, WallTime } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import type { NodeTiming } from '../machine/timing.ts';
import type { Departure } from '../membership/voter-choice.ts';
import type { Replica } from '../paxos/replica.ts';
import { Evidence } from '../ranks/evidence.ts';
import { ranked } from '../ranks/rank-table.ts';
import type { LoggedRequest } from '../state-machine/command.ts';
import type { SwarmState } from '../state-machine/state.ts';
import type { CoordinatorDuties } from './coordinator-duties.ts';
import { HandOver, preferenceEveryMs, preferredSuccessor, successors } from './hand-over.ts';
import { LevelDuty } from './level-duty.ts';
import type { NodeMessage, NodeTimer } from './messages.ts';
import type { Proposals } from './proposals.ts';

export interface OfficeOptions {
  readonly self: NodeId;
  readonly timing: NodeTiming;
  /** The highest feature level that this program understands. */
  readonly supports: number;
  readonly replica: Replica<LoggedRequest>;
  readonly proposals: Proposals;
  readonly duties: CoordinatorDuties;
  readonly state: () => SwarmState;
  readonly coordinator: () => NodeId | null;
  readonly members: () => ReadonlySet<NodeId>;
  readonly connected: ReadonlySet<NodeId>;
  readonly wall: () => WallTime;
  readonly send: (to: NodeId, message: NodeMessage) => void;
  readonly arm: (timer: NodeTimer, afterMs: number) => void;
}

const departureWords: Readonly<Record<Departure, string>> = {
  leave: 'leave the swarm',
  shutdown: 'shut down',
  suspend: 'sleep',
};

/** The coordinator's work: what it proposes of its own accord, and when what waits goes into the log. */
export class Office {
  readonly #options: OfficeOptions;
  readonly #handOver: HandOver;
  readonly #evidence: Evidence;
  readonly #levels: LevelDuty;
  /** When a voter of higher rank was last let go ahead. */
  #preferredAt: Instant | null = null;
  /** This machine is about to go. */
  #departure: Departure | null = null;

  constructor(options: OfficeOptions) {
    this.#options = options;
    this.#handOver = new HandOver(options.timing.heartbeatMs);
    this.#evidence = new Evidence(options.self);
    this.#levels = new LevelDuty(options.supports);
  }

  /** A phase-1 quorum: the work begins, though nothing is proposed before the barrier. */
  begin(now: Instant): void {
    const { duties, timing, arm } = this.#options;
    duties.takeOffice(now);
    arm('sessions', timing.sessionsMs);
    arm('placement', timing.placementMs);
  }

  /** To whom coordination is being handed over. */
  get successor(): NodeId | null {
    return this.#handOver.successor;
  }

  /** Begins a hand-over to this voter, or to the best one. Nothing happens when it cannot take over now. */
  handOver(now: Instant, to: NodeId | null, reason: string): void {
    const { self, replica, duties, state } = this.#options;
    const { config, committed } = replica;
    if (config === null || !replica.serving || replica.closing) return;
    const voters = ranked(config.voters, state().ranks);
    const able = successors(self, voters, committed, duties.progress);
    const successor = to === null ? able[0] : able.find((node) => node === to);
    if (successor !== undefined) this.#handOver.begin(now, successor, reason);
  }

  /** This machine is about to go; null: it stays, or is back. */
  depart(now: Instant, departure: Departure | null): void {
    this.#departure = departure;
    this.#announceDeparture(now);
  }

  /** Said again until somebody acts on it: the coordinator may be changing, too. */
  repeatDeparture(now: Instant): void {
    if (this.#departure !== null) this.#announceDeparture(now);
  }

  #announceDeparture(now: Instant): void {
    const { self, coordinator, send } = this.#options;
    const to = coordinator();
    if (to === self) this.onDeparting(now, self, this.#departure);
    else if (to !== null) send(to, { type: 'departing', departure: this.#departure });
  }

  /** A machine is about to go: its seat moves at once where it can. This one at least stops coordinating. */
  onDeparting(now: Instant, node: NodeId, departure: Departure | null): void {
    const { self, duties, replica, proposals } = this.#options;
    duties.noteDeparture(node, departure);
    if (departure === null || !replica.serving) return;
    this.reviewVoters(now);
    if (node !== self || proposals.wantedVoters !== null) return;
    this.handOver(now, null, `its machine is about to ${departureWords[departure]}`);
  }

  /** With every heartbeat: a hand-over that came to nothing ends. */
  onBeat(now: Instant): void {
    this.#handOver.expire(now);
  }

  /** Coordination is over. Answers to whom it was being handed over. */
  end(): NodeId | null {
    this.#options.proposals.clear();
    return this.#handOver.end();
  }

  /** Whatever this machine saw of the others, it was not there for a while. */
  woke(): void {
    this.#evidence.woke();
    this.end();
  }

  expireSessions(now: Instant): void {
    const { replica, timing, duties, proposals, state, arm } = this.#options;
    if (replica.phase !== 'leading') return;
    arm('sessions', timing.sessionsMs);
    if (!replica.serving) return;
    for (const expiry of duties.overdueSessions(now, state())) proposals.addOwn(expiry);
    for (const end of duties.lockDelays.overdue(now, state())) proposals.addOwn(end);
  }

  reviewWork(now: Instant): void {
    const { replica, timing, arm } = this.#options;
    if (replica.phase !== 'leading') return;
    arm('placement', timing.placementMs);
    if (!replica.serving) return;
    this.placeTasks(now);
    this.reviewVoters(now);
    this.#reviewRanks(now);
    this.#reviewLevel(now);
  }

  #reviewLevel(now: Instant): void {
    const { proposals, state, members } = this.#options;
    const raise = this.#levels.due(now, { state: state(), members: members() });
    if (raise !== null) proposals.addOwn(raise);
  }

  /** In office or not: who is there now. */
  lookAround(now: Instant): void {
    const { wall, connected } = this.#options;
    this.#evidence.look(now, wall(), connected);
  }

  /** What was seen of the others becomes their rank, slowly; and somebody who is wanted far more takes over, seldom. */
  #reviewRanks(now: Instant): void {
    const { self, replica, duties, proposals, state, members } = this.#options;
    const { ranks } = state();
    const moves = this.#evidence.moves(ranks, members());
    if (moves.length > 0) proposals.addOwn({ type: 'ranks-changed', moves });
    const { config } = replica;
    if (config === null || (this.#preferredAt !== null && now - this.#preferredAt < preferenceEveryMs)) return;
    const preferred = preferredSuccessor(self, ranked(config.voters, ranks), (node) => duties.steadyMs(now, node));
    if (preferred === null) return;
    this.#preferredAt = now;
    this.handOver(now, preferred, 'it is wanted more as coordinator');
  }

  placeTasks(now: Instant): void {
    const { duties, proposals, state } = this.#options;
    if (proposals.essentialOnly) return;
    const command = duties.placements(now, state());
    if (command !== null) proposals.addOwn(command);
  }

  reviewVoters(now: Instant): void {
    const { replica, duties, proposals, members, state } = this.#options;
    const { config, committed } = replica;
    if (config === null) return;
    proposals.wantedVoters = duties.voters(now, {
      config,
      committed,
      members: members(),
      ranks: state().ranks,
      hoursOf: (node) => this.#evidence.hoursOf(node),
    });
  }

  /** Proposes what waits, as far as there is room; a change of voters first. */
  propose(now: Instant): void {
    if (this.#handOver.successor !== null) return this.#giveWord(now);
    this.#changeVoters(now);
    this.#proposePending(now);
  }

  /** New requests wait here and are asked for again by whoever follows; what is in flight is chosen first. */
  #giveWord(now: Instant): void {
    const { replica, send } = this.#options;
    const { ballot } = replica;
    if (replica.inFlight > 0 || ballot === null) return;
    const word = this.#handOver.due(now);
    if (word !== null) send(word.to, { type: 'take-over', ballot, reason: word.reason });
  }

  /** The stop-sign must be the last entry of its ballot: new requests wait until nothing is in flight. */
  #changeVoters(now: Instant): void {
    const { replica, proposals } = this.#options;
    if (proposals.wantedVoters === null || replica.inFlight > 0 || !replica.serving) return;
    replica.changeVoters(now, proposals.wantedVoters);
    proposals.wantedVoters = null;
  }

  #proposePending(now: Instant): void {
    const { replica, proposals, wall } = this.#options;
    const requests = proposals.take(replica.room);
    if (requests.length === 0) return;
    const at = wall();
    replica.propose(
      now,
      requests.map((request) => ({ request, at })),
    );
  }
}
