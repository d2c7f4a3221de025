import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { assertNever } from '../../../shared/assert.ts';
import { entriesKeptBehindSnapshot } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import { Acceptor, type AcceptorSelf, type Followed } from './acceptor.ts';
import { compareBallots, sameBallot, type Ballot } from './ballot.ts';
import type { SingleCopies } from './copies.ts';
import { EffectList } from './effects.ts';
import { EpochChange } from './epoch-change.ts';
import { Epochs, type SetAside } from './epochs.ts';
import type { PaxosFact, Snapshot } from './facts.ts';
import { Following } from './following.ts';
import { Learner } from './learner.ts';
import type { LogChain } from './log-chain.ts';
import type { PaxosMessage, RefusalReason } from './messages.ts';
import { OutcomeOfStep, type ReplicaOutcome } from './outcome.ts';
import { Proposer } from './proposer.ts';
import { advanceOf, durableFactsOf, replay, type Advance, type DurableParts } from './recovery.ts';
import { SlotLog, type Chosen } from './slot-log.ts';
import { hasSeat, voterIn, type Voter, type VoterConfig } from './voters.ts';

type Of<Payload, Type extends PaxosMessage<Payload>['type']> = Extract<PaxosMessage<Payload>, { type: Type }>;

/**
 * One machine's part in Multi-Paxos: acceptor, learner and, when the election lets it, proposer. Roles keep to
 * their own files; this one routes messages and keeps the commit index moving.
 */
export class Replica<Payload> {
  readonly #self: AcceptorSelf;
  readonly #out = new EffectList<Payload>();
  readonly #outcome = new OutcomeOfStep<Payload>(this.#out);
  readonly #log = new SlotLog<Payload>();
  readonly #acceptor: Acceptor<Payload>;
  readonly #learner: Learner<Payload>;
  readonly #proposer: Proposer<Payload>;
  readonly #epochs = new Epochs<Payload>();
  readonly #change: EpochChange<Payload>;
  readonly #following: Following<Payload>;
  #highestRound = 0;

  /** `level`: of the state at `committed`, which every sign of life tells. */
  constructor(self: AcceptorSelf, weigh: (payload: Payload) => number, level: () => number) {
    this.#self = self;
    this.#acceptor = new Acceptor(self, this.#log, this.#out);
    this.#learner = new Learner(this.#log, this.#out, weigh);
    this.#proposer = new Proposer(self.node, this.#log, this.#out, level);
    this.#change = new EpochChange({
      ...this.#durable,
      self: self.node,
      proposer: this.#proposer,
      out: this.#out,
    });
    this.#following = new Following({
      ...this.#durable,
      self,
      learner: this.#learner,
      out: this.#out,
      outcome: this.#outcome,
      hasSeat: () => this.hasSeat,
      yieldTo: (ballot) => this.#yieldTo(ballot),
      noteChosen: (chosen) => this.#noteChosen(chosen),
    });
  }

  get committed(): Slot {
    return this.#log.committed;
  }
  get config(): VoterConfig | null {
    return this.#log.config;
  }
  get snapshot(): Snapshot | null {
    return this.#log.snapshot;
  }
  /** Of the log up to `committed`. */
  get chain(): LogChain {
    return this.#log.chain;
  }
  get promised(): Ballot | null {
    return this.#acceptor.promised;
  }
  get phase(): 'idle' | 'preparing' | 'leading' {
    return this.#proposer.phase;
  }
  get ballot(): Ballot | null {
    return this.#proposer.ballot;
  }
  /** Requests may be proposed here. */
  get serving(): boolean {
    return this.#proposer.open;
  }
  /** A stop-sign is under way. */
  get closing(): boolean {
    return this.#proposer.closing;
  }
  get room(): number {
    return this.#proposer.room;
  }
  /** As the only voter: entries that no other disk is known to hold. */
  get singleCopies(): SingleCopies | null {
    return this.#proposer.singleCopies;
  }
  get inFlight(): number {
    return this.#proposer.inFlight;
  }
  get quorumAt(): Instant | null {
    return this.#proposer.quorumAt;
  }
  get confirmedBeat(): number {
    return this.#proposer.confirmedBeat;
  }
  get hasSeat(): boolean {
    const config = this.#log.config;
    return config !== null && !this.awaitsEpoch && hasSeat(config, this.#self.node, this.#self.incarnation);
  }

  /** Replays what the disk held. Answers the chosen entries after the snapshot, in order. */
  recover(snapshot: Snapshot | null, facts: readonly PaxosFact<Payload>[]): readonly Chosen<Payload>[] {
    const { chosen, highestRound } = replay(this.#durable, snapshot, facts);
    this.#highestRound = Math.max(this.#highestRound, highestRound);
    return chosen;
  }

  /** What the journal must hold beside the snapshot: the promise, the chosen entries after it, the votes above them. */
  durableFacts(): PaxosFact<Payload>[] {
    return durableFactsOf(this.#durable);
  }

  get #durable(): DurableParts<Payload> {
    return { log: this.#log, acceptor: this.#acceptor, epochs: this.#epochs };
  }

  #seeRound(ballot: Ballot): void {
    this.#highestRound = Math.max(this.#highestRound, ballot.round);
  }

  /**
   * The election lets this node try: phase 1 with a round above every round it has seen. `leave`: the ballot of the
   * coordinator that asked for it.
   */
  tryToLead(now: Instant, extraRounds: number, leave: Ballot | null = null): void {
    const config = this.#log.config;
    if (config === null || !this.hasSeat) return;
    const seat = voterIn(config, this.#self.node);
    this.#highestRound += 1 + extraRounds;
    const ballot: Ballot = {
      epoch: config.epoch,
      config: config.id,
      round: this.#highestRound,
      rank: seat?.rank ?? 0,
      voter: this.#self.node,
    };
    this.#acceptor.promiseSelf(ballot);
    this.#proposer.prepare(ballot, config, leave);
    this.#continueAttempt(now);
  }

  repeatPrepare(now: Instant): void {
    this.#proposer.repeatPrepare();
    this.#continueAttempt(now);
  }

  /** Gives up candidacy or coordination. Whatever is in flight may still be chosen by whoever follows. */
  stepDown(): void {
    this.#proposer.stop();
  }

  propose(now: Instant, payloads: readonly Payload[]): void {
    this.#proposer.propose(now, payloads);
  }

  /** Ends the configuration in favour of these voters. Answers false while something is in flight. */
  changeVoters(now: Instant, voters: readonly Voter[]): boolean {
    return this.#proposer.proposeStopSign(now, voters);
  }

  /** Entries that have waited long enough for their second copy are chosen with one. */
  stopWaitingForCopies(now: Instant): void {
    this.#commitAll(this.#proposer.copiesOverdue(now));
  }

  /** Milliseconds until `stopWaitingForCopies` has something to do; null when nothing waits for a copy. */
  copyWaitLeftMs(now: Instant): number | null {
    return this.#proposer.copyWaitLeftMs(now);
  }

  heartbeat(now: Instant, to: readonly NodeId[], repeatBefore: Instant): void {
    this.#proposer.heartbeat(now, to);
    this.#proposer.repeatAccepts(now, repeatBefore);
  }

  /** Asks the voters whether they still follow. Answers the number of the heartbeat that `confirmedBeat` will reach. */
  confirm(now: Instant): number {
    return this.#proposer.confirm(now);
  }

  /** Asks a peer for what it may know beyond this log: for when no coordinator says how far the log is. */
  pull(now: Instant, peer: NodeId): void {
    this.#learner.pull(now, peer);
  }

  /** Offers the latest entries to peers that may not have heard that a configuration ended. */
  push(to: readonly NodeId[]): void {
    for (const node of to) this.#learner.push(node);
  }

  get hasCommitNews(): boolean {
    return this.#proposer.hasCommitNews;
  }

  announceCommit(to: readonly NodeId[], everybody: boolean): void {
    this.#proposer.announceCommit(to, everybody);
  }

  /** See `SlotLog.chainAt` and `SlotLog.adoptChain`. */
  chainAt(at: Slot): LogChain | undefined {
    return this.#log.chainAt(at);
  }

  adoptChain(at: Slot, chain: LogChain): boolean {
    return this.#log.adoptChain(at, chain);
  }

  /** Lets this snapshot of the state at `committed` stand for the log up to there. */
  compact(snapshot: Snapshot): void {
    this.#log.compact(snapshot, entriesKeptBehindSnapshot);
  }

  /** `followed`: whom the election believes alive as coordinator. */
  receive(now: Instant, from: NodeId, message: PaxosMessage<Payload>, followed: Followed | null): void {
    switch (message.type) {
      case 'prepare':
        this.#seeRound(message.ballot);
        this.#acceptor.onPrepare(from, message, followed);
        // Whoever still campaigns in an ended configuration is shown the stop-sign, not only told of it.
        if (this.#isEnded(message.ballot)) this.#learner.push(from);
        this.#yieldTo(message.ballot);
        break;
      case 'promise':
        this.#proposer.onPromise(from, message);
        this.#continueAttempt(now);
        break;
      case 'refuse':
        this.#onRefuse(now, from, message);
        break;
      case 'accept':
        this.#seeRound(message.ballot);
        this.#following.onAccept(now, from, message);
        break;
      case 'accepted':
        this.#commitAll(this.#proposer.onAccepted(now, from, message));
        break;
      case 'heartbeat':
        this.#seeRound(message.ballot);
        this.#following.onHeartbeat(now, from, message);
        break;
      case 'heartbeat-ack':
        this.#proposer.onHeartbeatAck(from, message);
        break;
      case 'learn-request':
        this.#learner.onLearnRequest(from, message);
        break;
      case 'learn-reply':
        this.#noteChosen(this.#learner.onLearnReply(now, from, message));
        this.#continueAttempt(now);
        this.#continueOpening(now);
        break;
      case 'epoch-promise':
        this.#epochs.notePromise(from, message.epoch, message);
        this.#continueOpening(now);
        break;
      case 'snapshot-request':
        this.#learner.onSnapshotRequest(from, message);
        break;
      case 'snapshot-part':
        this.#onSnapshotPart(now, from, message);
        break;
      default:
        assertNever(message);
    }
  }

  #isEnded(ballot: Ballot): boolean {
    const config = this.#log.config;
    return config !== null && ballot.epoch === config.epoch && ballot.config < config.id;
  }

  /** A higher ballot was obeyed here: an own attempt or coordination under a lower one is over. */
  #yieldTo(ballot: Ballot): void {
    const own = this.#proposer.ballot;
    const promised = this.#acceptor.promised;
    if (own === null || promised === null || ballot.voter === this.#self.node) return;
    if (compareBallots(promised, own) > 0) this.#lose();
  }

  #lose(): void {
    this.#proposer.stop();
    this.#outcome.attempt = 'lost';
  }

  #onRefuse(now: Instant, from: NodeId, message: Of<Payload, 'refuse'>): void {
    if (message.promised !== null) this.#seeRound(message.promised);
    this.#learner.noteAhead(now, from, message.committed);
    this.#proposer.onCopyRefused(from);
    if (this.#proposer.phase === 'idle' || message.reason === 'behind' || message.reason === 'not-a-voter') return;
    const current = this.#proposer.ballot;
    if (current === null || compareBallots(current, message.ballot) !== 0) return;
    if (this.#proposer.isOutbid(message) || this.#endsAttempt(from, message.reason)) this.#lose();
  }

  #endsAttempt(from: NodeId, reason: RefusalReason): boolean {
    if (this.#proposer.phase !== 'preparing') return false;
    return reason === 'stopped' || (reason === 'coordinator-alive' && this.#proposer.onRefusedByFollower(from));
  }

  #onSnapshotPart(now: Instant, from: NodeId, message: Of<Payload, 'snapshot-part'>): void {
    const snapshot = this.#learner.onSnapshotPart(now, from, message);
    if (snapshot === null || !this.#epochs.mayTake(snapshot.config.epoch)) return;
    this.#change.setTailAside(snapshot.config);
    if (!this.#log.install(snapshot)) return;
    this.#outcome.install(snapshot);
    this.#continueAttempt(now);
    this.#continueOpening(now);
  }

  /** A new epoch was promised here and is not open yet: this machine takes part in nothing of the old one. */
  get awaitsEpoch(): boolean {
    return this.#epochs.floor > (this.#log.config?.epoch ?? 0);
  }

  get advance(): Advance {
    return advanceOf(this.#self.incarnation, this.#durable);
  }

  /** Requests of ended epochs that the present one may not have. */
  get setAside(): readonly SetAside<Payload>[] {
    return this.#epochs.setAside;
  }

  forgetAside(): void {
    this.#change.forgetAside();
  }

  /** A person decided on a new epoch: promises, on disk, to hear no lower one, and tells `to` what is here. */
  promiseEpoch(epoch: number, to: NodeId): boolean {
    return this.#change.promise(epoch, to);
  }

  /** Opens the epoch promised to this machine as soon as all of `from` have promised it. */
  openEpoch(now: Instant, epoch: number, voters: readonly Voter[], from: ReadonlySet<NodeId>): void {
    if (this.#change.ask(epoch, voters, from)) this.#continueOpening(now);
  }

  #continueOpening(now: Instant): void {
    const step = this.#change.advance();
    if (step === null) return;
    if (step.type === 'behind') return this.#learner.noteAhead(now, step.node, step.committed);
    this.#outcome.opened = step.config;
    this.#noteChosen(step.entries.map((entry) => this.#log.commit(entry)));
  }

  /** A candidate with a phase-1 quorum first catches up to the highest commit index in it, then leads. */
  #continueAttempt(now: Instant): void {
    if (this.#proposer.phase !== 'preparing') return;
    const ballot = this.#proposer.ballot;
    const config = this.#log.config;
    if (config === null || ballot === null || ballot.config !== config.id || ballot.epoch !== config.epoch) {
      return this.#lose();
    }
    const target = this.#proposer.catchUpTarget();
    if (target === null) return;
    if (target.committed > this.#log.committed) {
      this.#learner.noteAhead(now, target.node, target.committed);
      return;
    }
    this.#proposer.lead(now);
    this.#outcome.attempt = 'won';
  }

  /**
   * A quorum may choose before the proposer's own vote is on its disk. What the journal then holds at that slot may
   * be a vote of an older ballot for another value, so `committed` would lie: the entries themselves are recorded.
   */
  #commitAll(entries: readonly Chosen<Payload>['entry'][]): void {
    if (entries.length === 0) return;
    const ballot = this.#proposer.ballot;
    const firstSlot = slot(this.#log.committed + 1);
    const voted = entries.every((_, index) =>
      sameBallot(this.#log.voteAt(slot(firstSlot + index))?.ballot ?? null, ballot),
    );
    this.#noteChosen(entries.map((entry) => this.#log.commit(entry)));
    this.#out.record(
      voted ? { type: 'committed', slot: this.#log.committed } : { type: 'learned', firstSlot, entries },
    );
  }

  #noteChosen(chosen: readonly Chosen<Payload>[]): void {
    for (const one of chosen) {
      this.#outcome.addChosen(one);
      this.#proposer.noteChosen(one.slot, one.entry);
      if (one.entry.type === 'stop-sign') this.#endConfig();
    }
  }

  /** The configuration has ended under this node: its ballots count no more. */
  #endConfig(): void {
    if (this.#proposer.phase !== 'idle') this.#lose();
  }

  /** Everything since the last call. */
  take(): ReplicaOutcome<Payload> {
    return this.#outcome.take();
  }
}
