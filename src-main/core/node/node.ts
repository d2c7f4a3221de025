import { assertNever } from '../../../shared/assert.ts';
import { type LockName, type NodeId, type SessionId, type Slot } from '../../../shared/domain/ids.ts';
import type { Bully } from '../election/bully.ts';
import type { Machine } from '../machine/machine.ts';
import type { Random } from '../machine/random.ts';
import { instant, type Instant } from '../machine/time.ts';
import type { NodeTiming } from '../machine/timing.ts';
import type { Ballot } from '../paxos/ballot.ts';
import type { SingleCopies } from '../paxos/copies.ts';
import type { Snapshot } from '../paxos/facts.ts';
import type { SetAside } from '../paxos/epochs.ts';
import type { PaxosMessage } from '../paxos/messages.ts';
import type { Advance } from '../paxos/recovery.ts';
import type { Replica } from '../paxos/replica.ts';
import type { Chosen } from '../paxos/slot-log.ts';
import type { VoterConfig } from '../paxos/voters.ts';
import type { LoggedRequest } from '../state-machine/command.ts';
import type { SwarmState } from '../state-machine/state.ts';
import type { CommitNews } from './commit-news.ts';
import type { CoordinatorDuties } from './coordinator-duties.ts';
import type { Checkpoint } from './checkpoints.ts';
import type { Comparing } from './comparing.ts';
import { EffectBuffer } from './effect-buffer.ts';
import type { Leadership } from './leadership.ts';
import type { Outdated } from './level-gate.ts';
import type { NodeEffect, NodeFact, NodeInput, NodeMessage, NodeRole, NodeTimer } from './messages.ts';
import type { Office } from './office.ts';
import type { NodeOptions } from './options.ts';
import { createParts } from './parts.ts';
import type { Reading } from './reading.ts';
import type { ReplicatedState } from './replicated-state.ts';
import type { Requesting } from './requesting.ts';
import type { Standing } from './standing.ts';
import { type KnownCoordinator } from './standing.ts';

/** Parts of a node react to one another at most this often within one step; the rest follows with the next input. */
const settleRoundsMax = 8;

/**
 * One member of the swarm: election, log, state machine and, while it coordinates, the coordinator's duties,
 * composed into one stepped machine. It owns no clock, no disk and no network.
 */
export class NodeMachine implements Machine<NodeInput, NodeEffect> {
  readonly #self: NodeId;
  readonly #timing: NodeTiming;
  readonly #random: Random;
  readonly #replica: Replica<LoggedRequest>;
  readonly #bully: Bully;
  readonly #duties: CoordinatorDuties;
  readonly #office: Office;
  readonly #requesting: Requesting;
  readonly #reading: Reading;
  readonly #comparing: Comparing;
  readonly #leadership: Leadership;
  readonly #commitNews: CommitNews;
  readonly #connected = new Set<NodeId>();
  #members: ReadonlySet<NodeId>;
  readonly #replicated: ReplicatedState;
  readonly #standing: Standing;
  readonly #effects = new EffectBuffer();
  #saidOutdated = false;

  constructor(options: NodeOptions) {
    const { self, recovered } = options;
    this.#self = self.node;
    this.#members = new Set(options.members);
    ({
      timing: this.#timing,
      random: this.#random,
      replica: this.#replica,
      replicated: this.#replicated,
      standing: this.#standing,
      bully: this.#bully,
      duties: this.#duties,
      office: this.#office,
      requesting: this.#requesting,
      reading: this.#reading,
      comparing: this.#comparing,
      leadership: this.#leadership,
      commitNews: this.#commitNews,
    } = createParts(options, {
      effects: this.#effects,
      connected: this.#connected,
      members: () => this.#members,
    }));
    const chosen = this.#replica.recover(recovered.snapshot, recovered.facts);
    if (recovered.snapshot !== null) this.#replicated.restore(recovered.snapshot);
    for (const one of chosen) this.#applyOne(one);
  }

  /** The replicated state at `committed`. Read only. */
  get state(): SwarmState {
    return this.#replicated.state;
  }
  /** Entries up to here are chosen and applied. */
  get committed(): Slot {
    return this.#replica.committed;
  }
  get config(): VoterConfig | null {
    return this.#replica.config;
  }
  /** Requests of ended epochs that the present one may not have, for people to look through. */
  get setAside(): readonly SetAside<LoggedRequest>[] {
    return this.#replica.setAside;
  }
  /** What this machine would bring into a new epoch. */
  get advance(): Advance {
    return this.#replica.advance;
  }
  /** Set once the swarm has moved beyond this program; it then takes part in nothing. */
  get outdated(): Outdated | null {
    return this.#replicated.outdated;
  }
  get role(): NodeRole {
    return this.#standing.role;
  }
  get ballot(): Ballot | null {
    return this.#replica.ballot;
  }
  get promised(): Ballot | null {
    return this.#replica.promised;
  }
  get coordinator(): KnownCoordinator | null {
    return this.#standing.coordinator;
  }
  /** As coordinator: how far each machine that answers has the log. */
  get progress(): ReadonlyMap<NodeId, Slot> {
    return this.#duties.progress;
  }
  /** As the only voter: entries that no other disk is known to hold; null for none, and where several vote. */
  get singleCopies(): SingleCopies | null {
    return this.#replica.singleCopies;
  }
  get connected(): ReadonlySet<NodeId> {
    return this.#connected;
  }
  /** What this machine had when it last compared with others; null before. */
  get checkpoint(): Checkpoint | null {
    return this.#comparing.latest;
  }
  /** Own requests not yet seen applied. */
  get outstandingCount(): number {
    return this.#requesting.outstandingCount;
  }

  leaseLeftMs(now: Instant, session: SessionId, ttlMs: number): number | null {
    return this.#standing.role === 'coordinator' ? this.#duties.leaseLeftMs(now, session, ttlMs) : null;
  }

  delayLeftMs(now: Instant, name: LockName, since: Slot, delayMs: number): number | null {
    return this.#standing.role === 'coordinator' ? this.#duties.lockDelays.leftMs(now, name, since, delayMs) : null;
  }

  /** What the journal must hold beside the latest snapshot. */
  durableFacts(): readonly NodeFact[] {
    return this.#replica.durableFacts();
  }

  step(now: Instant, input: NodeInput): readonly NodeEffect[] {
    // Whatever it has is not to be relied on: it answers nobody any more.
    if (this.#comparing.diverged !== null) return [];
    if (this.#replicated.outdated !== null) return this.#stopAsOutdated(this.#replicated.outdated);
    this.#bully.noteTime(now);
    switch (input.type) {
      case 'started':
        this.#start(now);
        break;
      case 'received':
        this.#onReceived(now, input.from, input.message);
        break;
      case 'timer':
        this.#onTimer(now, input.timer);
        break;
      case 'peer-connected':
        this.#onPeerConnected(now, input.peer);
        break;
      case 'peer-disconnected':
        this.#connected.delete(input.peer);
        this.#duties.forget(input.peer);
        this.#commitNews.forget(input.peer);
        this.#bully.peerDisconnected(input.peer);
        break;
      case 'members-changed':
        this.#members = new Set(input.members);
        break;
      case 'requested':
        this.#requesting.onRequested(now, input.requests);
        break;
      case 'read-requested':
        for (const id of input.ids) this.#reading.request(now, id);
        break;
      case 'hand-over':
        this.#office.handOver(now, input.to, input.reason);
        break;
      case 'woke':
        this.#leadership.onWoke();
        break;
      case 'departing':
        this.#office.depart(now, input.departure);
        break;
      case 'disk-full':
      case 'disk-ready':
        this.#leadership.onDisk(input.type === 'disk-full');
        break;
      case 'promise-epoch':
        if (this.#replica.promiseEpoch(input.epoch, input.to)) this.#leadership.awaitEpoch();
        break;
      case 'open-epoch':
        this.#replica.openEpoch(now, input.epoch, input.voters, new Set(input.from));
        break;
      case 'reviewed':
        this.#replica.forgetAside();
        break;
      case 'load-heard':
        this.#duties.noteLoad(input.node, input.load);
        break;
      default:
        assertNever(input);
    }
    this.#settle(now);
    if (this.#replicated.outdated !== null) return this.#stopAsOutdated(this.#replicated.outdated);
    this.#stopIfDiverged();
    const copyWaitMs = this.#replica.copyWaitLeftMs(now);
    if (copyWaitMs !== null) this.#effects.arm('copy', copyWaitMs);
    return this.#effects.take();
  }

  #stopIfDiverged(): void {
    if (this.#comparing.diverged === null) return;
    this.#replica.stepDown();
    this.#leadership.end('what this machine has differs from what a majority has');
  }

  /** As if it had crashed before this step: what it cannot read all of must not reach its disk or others. Says so once. */
  #stopAsOutdated(outdated: Outdated): readonly NodeEffect[] {
    this.#effects.take();
    if (this.#saidOutdated) return [];
    this.#saidOutdated = true;
    this.#replica.stepDown();
    this.#standing.retire('the swarm has moved to a feature level that this program does not understand');
    this.#effects.emit({ type: 'outdated', outdated });
    return this.#effects.take();
  }

  /** Always armed, so an input that finds it overdue shows that this node was not running. */
  #armRetry(now: Instant): void {
    const afterMs = this.#timing.retryMs / 4;
    this.#bully.expectTick(now + afterMs);
    this.#effects.arm('retry', afterMs);
  }

  #start(now: Instant): void {
    this.#armRetry(now);
    const config = this.#replica.config;
    if (config !== null) this.#leadership.adoptConfig(config, false);
    this.#leadership.noteRole('started');
  }

  #onPeerConnected(now: Instant, peer: NodeId): void {
    this.#connected.add(peer);
    this.#bully.peerConnected(peer);
    if (this.#standing.role === 'coordinator')
      this.#replica.heartbeat(now, [peer], instant(now - this.#timing.heartbeatMs));
  }

  #onReceived(now: Instant, from: NodeId, message: NodeMessage): void {
    if (from !== this.#self && !this.#members.has(from)) return;
    switch (message.type) {
      case 'pre-vote':
      case 'pre-vote-answer':
      case 'election':
      case 'answer':
        this.#bully.receive(now, from, message);
        break;
      case 'propose':
        this.#commitNews.noteRequests(now, from, message.requests);
        this.#requesting.onMessage(now, from, message);
        break;
      case 'propose-refused':
        this.#requesting.onMessage(now, from, message);
        break;
      case 'departing':
        this.#office.onDeparting(now, from, message.departure);
        break;
      case 'read-index':
      case 'read-index-answer':
        this.#commitNews.noteAsked(now, from);
        this.#reading.onMessage(from, message);
        break;
      case 'checkpoint':
      case 'divergence':
        this.#comparing.onMessage(from, message);
        break;
      case 'take-over':
        this.#leadership.onTakeOver(now, from, message);
        break;
      default:
        this.#onPaxos(now, from, message);
    }
  }

  #onPaxos(now: Instant, from: NodeId, message: PaxosMessage<LoggedRequest>): void {
    if (message.type === 'heartbeat-ack') this.#duties.noteAnswer(now, from, message);
    if (message.type === 'heartbeat' && message.ballot.epoch >= (this.#replica.config?.epoch ?? 0))
      this.#replicated.noteLevel(message.level);
    this.#replica.receive(now, from, message, this.#leadership.followed(now, from));
  }

  #onTimer(now: Instant, timer: NodeTimer): void {
    switch (timer) {
      case 'suspect':
      case 'election':
        this.#bully.timerFired(now, timer);
        break;
      case 'heartbeat':
        this.#leadership.beat(now);
        break;
      case 'retry':
        this.#requesting.sendDue(now);
        if (this.#replica.phase === 'preparing') this.#replica.repeatPrepare(now);
        // A machine without a seat takes no part in elections; it notices silence for itself.
        if (this.#bully.hearsCoordinator(now) === null) this.#standing.followNobody('the coordinator is silent');
        this.#reading.expire(now);
        this.#pullWithoutCoordinator(now);
        this.#office.repeatDeparture(now);
        this.#office.lookAround(now);
        this.#replicated.prepareSnapshot();
        this.#armRetry(now);
        break;
      case 'sessions':
        this.#office.expireSessions(now);
        break;
      case 'placement':
        this.#office.reviewWork(now);
        break;
      case 'copy':
        this.#replica.stopWaitingForCopies(now);
        break;
      case 'commit-news':
        this.#commitNews.tellAll();
        break;
      default:
        assertNever(timer);
    }
  }

  /** While nobody says how far the log is, ask somebody at random: a stop-sign may have been chosen unheard. */
  #pullWithoutCoordinator(now: Instant): void {
    if (this.#standing.coordinator !== null || this.#connected.size === 0) return;
    const peer = [...this.#connected][this.#random.below(this.#connected.size)];
    if (peer !== undefined) this.#replica.pull(now, peer);
  }

  /** Lets the parts react to one another until nothing more follows from this input. */
  #settle(now: Instant): void {
    for (let round = 0; round < settleRoundsMax; round++) {
      this.#leadership.takeElection(now);
      this.#office.propose(now);
      this.#reading.advance(now);
      if (!this.#takeReplica(now)) return;
      if (this.#standing.role === 'coordinator') this.#commitNews.tell(now);
    }
  }

  /** Answers whether anything came out. */
  #takeReplica(now: Instant): boolean {
    const led = this.#standing.role === 'coordinator';
    const outcome = this.#replica.take();
    for (const effect of outcome.effects) this.#effects.push(effect);
    // The loss first: else the winner would not be deferred to, and what was heard of it forgotten with the lost attempt.
    if (outcome.attempt === 'lost') this.#leadership.end('another ballot was preferred');
    for (const effect of outcome.effects) {
      if (effect.type === 'send' && effect.message.type === 'promise') this.#bully.deferTo(effect.to);
    }
    if (outcome.heard !== null)
      this.#leadership.onCoordinatorHeard(now, outcome.heard.coordinator, outcome.heard.ballot);
    if (outcome.attempt === 'won') this.#leadership.onWon(now);
    if (outcome.installed !== null) this.#onInstalled(outcome.installed);
    const beforeApplied = this.#effects.end;
    for (const chosen of outcome.chosen) this.#applyOne(chosen, now);
    if (this.#replicated.outdated !== null) return false;
    if (outcome.opened !== null) this.#compact(outcome.opened, beforeApplied);
    const applied = outcome.chosen.length > 0 || outcome.installed !== null;
    this.#afterApply(now, applied, led);
    return applied || outcome.effects.length > 0 || outcome.attempt !== null || outcome.heard !== null;
  }

  #onInstalled(snapshot: Snapshot): void {
    this.#replicated.restore(snapshot);
    if (this.#replicated.outdated !== null) return;
    this.#effects.emit({ type: 'snapshot-taken', snapshot });
    this.#effects.emit({ type: 'state-replaced', slot: snapshot.slot });
    this.#requesting.onStateReplaced();
  }

  /** Without `now` the entry is replayed at the start: nobody waits for its event. */
  #applyOne(chosen: Chosen<LoggedRequest>, now?: Instant): void {
    if (this.#replicated.outdated !== null) return;
    const applied = this.#replicated.apply(chosen);
    const { request } = applied;
    if (request !== null) this.#requesting.settle(request);
    if (request?.command.type === 'tasks-assigned') this.#duties.placementsApplied();
    if (now !== undefined) this.#effects.emit({ type: 'applied', slot: chosen.slot, ...applied });
    this.#comparing.onApplied(chosen.slot);
  }

  #afterApply(now: Instant, changed: boolean, led: boolean): void {
    this.#leadership.followConfig(led);
    if (!changed) return;
    if (this.#replica.serving) {
      this.#requesting.sendDue(now);
      this.#office.placeTasks(now);
    }
    const { config } = this.#replica;
    if (config !== null && this.#replicated.snapshotDue) this.#compact(config);
  }

  /** `before`: which of this step's effects must wait until the snapshot is on disk; by default those that follow. */
  #compact(config: VoterConfig, before = this.#effects.end): void {
    const snapshot = {
      slot: this.#replica.committed,
      config,
      state: this.#replicated.toText(),
      chain: this.#replica.chain,
    };
    this.#replica.compact(snapshot);
    this.#effects.emitAt(before, { type: 'snapshot-taken', snapshot });
  }
}

export type { NodeOptions } from './options.ts';

export const createNode = (options: NodeOptions): NodeMachine => new NodeMachine(options);
