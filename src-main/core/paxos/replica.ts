import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { assertNever } from '../../../shared/assert.ts';
import { entriesKeptBehindSnapshot, entriesPerMessageMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import { Acceptor, type AcceptorSelf, type Followed } from './acceptor.ts';
import { compareBallots, sameBallot, type Ballot } from './ballot.ts';
import type { SingleCopies } from './copies.ts';
import { EffectList, type PaxosEffect } from './effects.ts';
import { cutOf, Epochs, firstConfigOf, type SetAside } from './epochs.ts';
import type { PaxosFact, Snapshot } from './facts.ts';
import { Learner } from './learner.ts';
import type { PaxosMessage } from './messages.ts';
import { Proposer } from './proposer.ts';
import { entriesToRepropose } from './repropose.ts';
import { SlotLog, type Chosen } from './slot-log.ts';
import { hasSeat, mayVote, quorumOf, voterIn, type Voter, type VoterConfig } from './voters.ts';

type Of<Payload, Type extends PaxosMessage<Payload>['type']> = Extract<PaxosMessage<Payload>, { type: Type }>;

/** What a step of the replica brought about, besides its effects. */
export interface ReplicaOutcome<Payload> {
  readonly effects: readonly PaxosEffect<Payload>[];
  /** Newly chosen entries, in order. Their effects come after those above. */
  readonly chosen: readonly Chosen<Payload>[];
  /** A snapshot that replaces the state; `chosen` then follows it. */
  readonly installed: Snapshot | null;
  /** This machine has opened a new epoch, and `chosen` follows in it: a snapshot must cover them before anything leaves. */
  readonly opened: VoterConfig | null;
  /** A live coordinator was heard: its heartbeat or accept was obeyed. */
  readonly heard: { readonly coordinator: NodeId; readonly ballot: Ballot } | null;
  /** This node's own attempt ended: with a phase-1 quorum, or because somebody else was preferred. */
  readonly attempt: 'won' | 'lost' | null;
}

/** How much one machine knows, for people who must choose between machines. */
export interface Advance {
  readonly incarnation: string;
  readonly config: VoterConfig | null;
  readonly promised: Ballot | null;
  /** The epoch promised last; that of the configuration when none was. */
  readonly epochPromised: number;
  readonly committed: Slot;
  /** The last slot for which it has voted. */
  readonly votedThrough: Slot;
}

/**
 * One machine's part in Multi-Paxos: acceptor, learner and, when the election lets it, proposer. Roles keep to
 * their own files; this one routes messages and keeps the commit index moving.
 */
export class Replica<Payload> {
  readonly #self: AcceptorSelf;
  readonly #out = new EffectList<Payload>();
  readonly #log = new SlotLog<Payload>();
  readonly #acceptor: Acceptor<Payload>;
  readonly #learner: Learner<Payload>;
  readonly #proposer: Proposer<Payload>;
  readonly #epochs = new Epochs<Payload>();
  #highestRound = 0;
  #chosen: Chosen<Payload>[] = [];
  #installed: Snapshot | null = null;
  #opened: VoterConfig | null = null;
  #heard: ReplicaOutcome<Payload>['heard'] = null;
  #attempt: ReplicaOutcome<Payload>['attempt'] = null;
  /** The beat last answered, so that a repeated commit notice is not answered again. */
  #answered: { readonly ballot: Ballot; readonly beat: number } | null = null;

  constructor(self: AcceptorSelf, weigh: (payload: Payload) => number) {
    this.#self = self;
    this.#acceptor = new Acceptor(self, this.#log, this.#out);
    this.#learner = new Learner(this.#log, this.#out, weigh);
    this.#proposer = new Proposer(self.node, this.#log, this.#out);
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
    if (snapshot !== null) this.#log.install(snapshot);
    const chosen: Chosen<Payload>[] = [];
    for (const fact of facts) {
      switch (fact.type) {
        case 'promised':
          this.#restoreBallot(fact.ballot);
          break;
        case 'accepted':
          this.#restoreBallot(fact.ballot);
          fact.entries.forEach((entry, index) => {
            this.#log.restoreVote(slot(fact.firstSlot + index), fact.ballot, entry);
          });
          break;
        case 'learned':
          fact.entries.forEach((entry, index) => {
            if (fact.firstSlot + index === this.#log.committed + 1) chosen.push(this.#log.commit(entry));
          });
          break;
        case 'epoch-promised':
          this.#epochs.promise(fact.epoch, fact.to);
          this.#acceptor.ignoreBelow(fact.epoch);
          break;
        case 'set-aside':
          this.#epochs.keepAside(fact);
          break;
        case 'reviewed':
          this.#epochs.forgetAside();
          break;
        case 'committed':
          for (let at = slot(this.#log.committed + 1); at <= fact.slot; at = slot(at + 1)) {
            const vote = this.#log.voteAt(at);
            if (vote === undefined) break;
            chosen.push(this.#log.commit(vote.entry));
          }
          break;
        default:
          assertNever(fact);
      }
    }
    return chosen;
  }

  #restoreBallot(ballot: Ballot): void {
    this.#acceptor.restore(ballot);
    this.#seeRound(ballot);
  }

  /** What the journal must hold beside the snapshot: the promise, the chosen entries after it, the votes above them. */
  durableFacts(): PaxosFact<Payload>[] {
    const facts: PaxosFact<Payload>[] = [];
    const snapshotSlot = this.#log.snapshot?.slot ?? 0;
    const entries = [];
    for (let at = slot(snapshotSlot + 1); at <= this.#log.committed; at = slot(at + 1)) {
      const entry = this.#log.chosenAt(at);
      if (entry !== undefined) entries.push(entry);
    }
    if (entries.length > 0) facts.push({ type: 'learned', firstSlot: slot(snapshotSlot + 1), entries });
    for (const vote of this.#log.votes()) {
      facts.push({ type: 'accepted', ballot: vote.ballot, firstSlot: vote.slot, entries: [vote.entry] });
    }
    const promised = this.#acceptor.promised;
    if (promised !== null) facts.push({ type: 'promised', ballot: promised });
    if (this.#epochs.promised !== null) facts.push({ type: 'epoch-promised', ...this.#epochs.promised });
    for (const aside of this.#epochs.setAside) facts.push({ type: 'set-aside', ...aside });
    return facts;
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

  announceCommit(to: readonly NodeId[]): void {
    this.#proposer.announceCommit(to);
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
        this.#onAccept(now, from, message);
        break;
      case 'accepted':
        this.#commitAll(this.#proposer.onAccepted(now, from, message));
        break;
      case 'heartbeat':
        this.#onHeartbeat(now, from, message);
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

  #onAccept(now: Instant, from: NodeId, message: Of<Payload, 'accept'>): void {
    this.#seeRound(message.ballot);
    if (!this.#acceptor.onAccept(from, message)) {
      this.#learner.noteAhead(now, from, message.committed);
      return;
    }
    this.#yieldTo(message.ballot);
    this.#heard = { coordinator: from, ballot: message.ballot };
    this.#follow(now, from, message.ballot, message.committed);
  }

  #onHeartbeat(now: Instant, from: NodeId, message: Of<Payload, 'heartbeat'>): void {
    const { ballot, beat, committed } = message;
    this.#seeRound(ballot);
    const config = this.#log.config;
    const sameEpoch = ballot.epoch === config?.epoch;
    const behind = config === null || ballot.epoch > config.epoch || (sameEpoch && ballot.config > config.id);
    if (ballot.epoch < this.#epochs.floor) return;
    if (from !== ballot.voter || (!behind && !this.#acceptor.onHeartbeat(from, ballot))) return;
    this.#yieldTo(ballot);
    this.#heard = { coordinator: from, ballot };
    this.#follow(now, from, ballot, committed);
    const repeated =
      this.#answered !== null && this.#answered.beat === beat && compareBallots(this.#answered.ballot, ballot) === 0;
    if (repeated) return;
    this.#answered = { ballot, beat };
    // A voter that lags behind the configuration has not compared the ballot with its promise; one with a new state
    // directory has forgotten its promise. Neither shows that no quorum follows a higher ballot.
    const seated = !behind && this.hasSeat;
    const { incarnation } = this.#self;
    const { committed: own } = this.#log;
    this.#out.send(from, { type: 'heartbeat-ack', ballot, beat, committed: own, incarnation, seated });
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
    this.#attempt = 'lost';
  }

  /** Moves the commit index along the coordinator's, by own votes where they are of its ballot, else by asking. */
  #follow(now: Instant, from: NodeId, ballot: Ballot, committed: Slot): void {
    const before = this.#log.committed;
    while (this.#acceptor.chosenByVote(ballot, committed)) {
      const vote = this.#log.voteAt(slot(this.#log.committed + 1));
      if (vote === undefined) break;
      this.#noteChosen([this.#log.commit(vote.entry)]);
    }
    if (this.#log.committed > before) this.#out.record({ type: 'committed', slot: this.#log.committed });
    if (from !== this.#self.node) this.#learner.noteAhead(now, from, committed);
  }

  #onRefuse(now: Instant, from: NodeId, message: Of<Payload, 'refuse'>): void {
    if (message.promised !== null) this.#seeRound(message.promised);
    this.#learner.noteAhead(now, from, message.committed);
    this.#proposer.onCopyRefused(from);
    if (this.#proposer.phase === 'idle' || message.reason === 'behind' || message.reason === 'not-a-voter') return;
    const current = this.#proposer.ballot;
    if (current === null || compareBallots(current, message.ballot) !== 0) return;
    const outbid = this.#proposer.isOutbid(message);
    const preparing = this.#proposer.phase === 'preparing';
    if (outbid || (preparing && message.reason !== 'lower-ballot')) this.#lose();
  }

  #onSnapshotPart(now: Instant, from: NodeId, message: Of<Payload, 'snapshot-part'>): void {
    const snapshot = this.#learner.onSnapshotPart(now, from, message);
    if (snapshot === null || snapshot.config.epoch < this.#epochs.floor) return;
    this.#setTailAside(snapshot.config);
    if (!this.#log.install(snapshot)) return;
    this.#installed = snapshot;
    this.#chosen = [];
    this.#continueAttempt(now);
    this.#continueOpening(now);
  }

  /** A later epoch takes over: what this machine has and the other has not is kept for people, and merged by nobody. */
  #setTailAside(next: VoterConfig): void {
    const config = this.#log.config;
    if (config === null || next.epoch <= config.epoch) return;
    const lastSlot = cutOf(config.epoch, next.cuts);
    const entries = lastSlot === null ? [] : this.#log.entriesAfter(lastSlot).filter(({ type }) => type === 'payload');
    for (let start = 0; start < entries.length; start += entriesPerMessageMax) {
      const aside = { epoch: config.epoch, entries: entries.slice(start, start + entriesPerMessageMax) };
      this.#epochs.keepAside(aside);
      this.#out.persist({ type: 'set-aside', ...aside });
    }
  }

  /** A new epoch was promised here and is not open yet: this machine takes part in nothing of the old one. */
  get awaitsEpoch(): boolean {
    return this.#epochs.floor > (this.#log.config?.epoch ?? 0);
  }

  get advance(): Advance {
    const { config, committed } = this.#log;
    return {
      incarnation: this.#self.incarnation,
      config,
      promised: this.#acceptor.promised,
      epochPromised: Math.max(this.#epochs.floor, config?.epoch ?? 0),
      committed,
      votedThrough: this.#log.votes().at(-1)?.slot ?? committed,
    };
  }

  /** Requests of ended epochs that the present one may not have. */
  get setAside(): readonly SetAside<Payload>[] {
    return this.#epochs.setAside;
  }

  forgetAside(): void {
    this.#epochs.forgetAside();
    this.#out.persist({ type: 'reviewed' });
  }

  /** A person decided on a new epoch: promises, on disk, to hear no lower one, and tells `to` what is here. */
  promiseEpoch(epoch: number, to: NodeId): boolean {
    if (!this.#epochs.mayPromise(epoch, to, this.#log.config)) return false;
    this.#proposer.stop();
    this.#epochs.promise(epoch, to);
    this.#acceptor.ignoreBelow(epoch);
    this.#out.persist({ type: 'epoch-promised', epoch, to });
    this.#out.send(to, { type: 'epoch-promise', epoch, committed: this.#log.committed, votes: this.#log.votes() });
    return true;
  }

  /** Opens the epoch promised to this machine as soon as all of `from` have promised it. */
  openEpoch(now: Instant, epoch: number, voters: readonly Voter[], from: ReadonlySet<NodeId>): void {
    if (!mayVote(voters) || this.#epochs.promised?.to !== this.#self.node) return;
    this.#epochs.open({ epoch, voters, from });
    this.#continueOpening(now);
  }

  /**
   * First catches up to the most advanced log among the promises. What was only voted for there may have been
   * acknowledged, so it follows in the new epoch: twice is harmless, lost is not.
   */
  #continueOpening(now: Instant): void {
    const report = this.#epochs.report;
    const config = this.#log.config;
    if (report === null || config === null) return;
    if (report.committed > this.#log.committed) return this.#learner.noteAhead(now, report.at, report.committed);
    const { entries } = entriesToRepropose(slot(this.#log.committed + 1), report.votes);
    const { epoch, voters } = report.opening;
    const first = firstConfigOf(epoch, config, this.#log.committed, voters);
    this.#epochs.opened();
    this.#log.beginEpoch(first);
    this.#opened = first;
    this.#noteChosen(entries.filter(({ type }) => type === 'payload').map((entry) => this.#log.commit(entry)));
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
    this.#attempt = 'won';
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
      this.#chosen.push(one);
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
    const outcome: ReplicaOutcome<Payload> = {
      effects: this.#out.take(),
      chosen: this.#chosen,
      installed: this.#installed,
      opened: this.#opened,
      heard: this.#heard,
      attempt: this.#attempt,
    };
    this.#chosen = [];
    this.#installed = null;
    this.#opened = null;
    this.#heard = null;
    this.#attempt = null;
    return outcome;
  }

  /** Voters a quorum needs, in the present configuration. */
  get quorumNeeded(): number {
    return this.#log.config === null ? 0 : quorumOf(this.#log.config);
  }
}
