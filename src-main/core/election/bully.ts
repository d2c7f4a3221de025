import { assertNever } from '../../../shared/assert.ts';
import { compareText, type NodeId } from '../../../shared/domain/ids.ts';
import { majority } from '../machine/quorum.ts';
import type { Random } from '../machine/random.ts';
import type { Instant } from '../machine/time.ts';
import type { NodeTiming } from '../machine/timing.ts';
import { ranked, type RankTable } from '../ranks/rank-table.ts';
import type { ElectionMessage } from './messages.ts';
import { lateMs, Suspicion } from './suspicion.ts';

export interface ElectionVoter {
  readonly node: NodeId;
  readonly rank: number;
}

export type ElectionTimer = 'suspect' | 'election';

export type ElectionOutput =
  | { readonly type: 'send'; readonly to: NodeId; readonly message: ElectionMessage }
  | { readonly type: 'set-timer'; readonly timer: ElectionTimer; readonly afterMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: ElectionTimer }
  /** This node may try: start phase 1. */
  | { readonly type: 'try'; readonly reason: string }
  /** Phase 1 took too long: drop it. */
  | { readonly type: 'give-up' }
  /** No coordinator is heard any more. */
  | { readonly type: 'suspected'; readonly coordinator: NodeId | null; readonly reason: string };

type State =
  /** Somebody coordinates, or nobody is known to: wait. */
  | 'following'
  /** Asking all voters whether they hear a coordinator. */
  | 'pre-voting'
  /** Asked voters of higher rank to go first; waiting for their answers. */
  | 'challenging'
  /** A fit voter of higher rank has answered; waiting for the receipt of its phase-1 quorum. */
  | 'deferring'
  /** Phase 1 is under way. */
  | 'trying'
  | 'leading';

type Of<Type extends ElectionMessage['type']> = Extract<ElectionMessage, { type: Type }>;

/**
 * Bully (Garcia-Molina 1982) as a failure detector's Omega: its output is "you may try". A wrong output costs
 * time, never safety; who may lead is decided by a Paxos phase-1 quorum. The five rules are in
 * `docs/protocols/election.md`. Rank is configuration, so two nodes never each believe they outrank the other.
 */
export class Bully {
  readonly #self: NodeId;
  readonly #timing: NodeTiming;
  readonly #random: Random;
  readonly #connected = new Set<NodeId>();
  #voters: readonly ElectionVoter[] = [];
  #state: State = 'following';
  #coordinator: NodeId | null = null;
  /** The coordinator that was suspected for its silence, until it is heard again. */
  #silent: NodeId | null = null;
  #heardAt: Instant | null = null;
  readonly #suspicion: Suspicion;
  /** Since when this node has been running on time, as far as it has noticed. */
  #onTimeSince: Instant | null = null;
  #tickDueAt: number | null = null;
  #ranks: { readonly table: RankTable; readonly version: number } | null = null;
  /** It coordinated the configuration before this one, so it goes first, whatever its rank. */
  #heir = false;
  #reason = 'no coordinator heard since the start';
  #attempt = 0;
  #noes = new Set<NodeId>();
  #challenged = new Set<NodeId>();
  #out: ElectionOutput[] = [];
  /** Another voter should coordinate if any can: this one answers as unfit and tries much later than the others. */
  reluctant = false;

  constructor(self: NodeId, timing: NodeTiming, random: Random) {
    this.#self = self;
    this.#timing = timing;
    this.#random = random;
    this.#suspicion = new Suspicion(timing);
  }

  /** Whom this node believes alive as coordinator: heard from within the suspicion time and still connected. */
  hearsCoordinator(now: Instant): NodeId | null {
    if (this.#state === 'leading') return this.#self;
    if (this.#coordinator === null || this.#heardAt === null) return null;
    return now - this.#heardAt < this.#suspicion.afterMs(now) ? this.#coordinator : null;
  }

  take(): ElectionOutput[] {
    const taken = this.#out;
    this.#out = [];
    return taken;
  }

  /**
   * The voters of a new configuration; whatever was under way in the old one is void. The heir, mostly the former
   * coordinator, goes first and asks nobody of higher rank: it has everything that was chosen, and a change of voters
   * is no reason for a change of coordinator. The others leave it time for that.
   *
   * `heard`: whose ballot of the new configuration this node has obeyed before its log told it of the configuration. It
   * is alive as far as anybody knows, and stays so; a machine that catches up would else help to depose it.
   */
  configure(voters: readonly ElectionVoter[], heir: boolean, heard: NodeId | null = null): void {
    const former = voters.some(({ node }) => node === this.#coordinator && node !== this.#self);
    this.#voters = voters;
    this.#heir = heir;
    this.#follow();
    const stays = heard !== null && heard === this.#coordinator;
    if (!stays) {
      this.#coordinator = null;
      this.#heardAt = null;
      this.#reason = 'the voters changed';
    }
    if (!this.#hasSeat) return this.#cancel('suspect');
    const { suspectMs } = this.#timing;
    if (stays) return this.#armSuspicion(suspectMs);
    const alone = this.#voters.length === 1;
    this.#armSuspicion(alone || heir ? 0 : former ? 2 * suspectMs : suspectMs);
  }

  /** The ranks that the log gives these voters; what is under way goes on. Cheap when nothing has changed. */
  adoptRanks(voters: readonly ElectionVoter[], ranks: RankTable): void {
    if (this.#ranks?.table === ranks && this.#ranks.version === ranks.version) return;
    this.#ranks = { table: ranks, version: ranks.version };
    const same = voters.length === this.#voters.length && voters.every(({ node }) => this.#isVoter(node));
    if (same) this.#voters = ranked(voters, ranks);
  }

  #isVoter(node: NodeId): boolean {
    return this.#voters.some((voter) => voter.node === node);
  }

  get #hasSeat(): boolean {
    return this.#voters.some((voter) => voter.node === this.#self);
  }

  get #quorum(): number {
    return majority(this.#voters.length);
  }

  peerConnected(peer: NodeId): void {
    this.#connected.add(peer);
  }

  /** A closed connection to the coordinator is a strong hint; the pre-vote keeps acting on it safe. */
  peerDisconnected(peer: NodeId): void {
    this.#connected.delete(peer);
    if (peer !== this.#coordinator || this.#state !== 'following') return;
    this.#suspect(`the connection to the coordinator closed`);
    if (this.#hasSeat) this.#armSuspicion(this.#random.below(20));
  }

  /** The receipt of a phase-1 quorum, or any later sign of life under that ballot. */
  coordinatorHeard(now: Instant, coordinator: NodeId): void {
    if (this.#coordinator !== coordinator) this.#suspicion.forget();
    if (this.#silent === coordinator) this.#silent = null;
    this.#suspicion.heard(now);
    this.#heardAt = now;
    this.#coordinator = coordinator;
    this.#heir = false;
    if (this.#state !== 'following') this.#follow();
    if (this.#hasSeat) this.#armSuspicion(this.#suspicion.afterMs(now));
  }

  /** A timer that is always armed is due then. */
  expectTick(at: number): void {
    this.#tickDueAt = at;
  }

  /** With every input: finds out whether this node has been running on time. */
  noteTime(now: Instant): void {
    if (this.#tickDueAt !== null && now - this.#tickDueAt > lateMs) this.ranLate(now);
  }

  /** This node was not running on time: what looks like silence of others may be its own (docs/protocols/election.md, rule 1). */
  ranLate(now: Instant): void {
    this.#tickDueAt = null;
    this.#onTimeSince = now;
    this.#suspicion.ranLate(now);
  }

  /** The phase 1 that this node was let try has a quorum. */
  won(now: Instant): void {
    this.#state = 'leading';
    this.#heir = false;
    this.#coordinator = this.#self;
    this.#heardAt = now;
    this.#cancel('suspect');
    this.#cancel('election');
  }

  /** The coordinator itself lets this node go ahead: phase 1 is under way, without asking anybody. */
  takeOver(): void {
    this.#state = 'trying';
    this.#cancel('suspect');
    this.#arm('election', this.#timing.tryMs);
  }

  /** Candidacy or coordination ended: another is preferred, a quorum was lost, or the clock jumped. */
  lost(reason: string): void {
    if (this.#coordinator === this.#self) this.#coordinator = null;
    this.#heardAt = null;
    this.#reason = reason;
    this.#follow();
    this.#armRetry();
  }

  /** This node promised another candidate's ballot: give that candidate time to show its receipt. */
  deferTo(candidate: NodeId): void {
    if (candidate === this.#self || this.#state === 'leading') return;
    this.#follow();
    if (this.#hasSeat) this.#armSuspicion(this.#timing.tryMs);
  }

  /** After sleep nothing believed about others holds: listen for a full suspicion time first. */
  woke(): void {
    this.#heardAt = null;
    this.#reason = 'this machine woke up';
    this.#follow();
    if (this.#hasSeat) this.#armSuspicion(this.#timing.suspectMs);
  }

  timerFired(now: Instant, timer: ElectionTimer): void {
    if (!this.#hasSeat) return;
    if (timer === 'suspect') return this.#onSuspectTimer(now);
    switch (this.#state) {
      case 'pre-voting':
        this.lost('not enough voters answered');
        break;
      case 'challenging':
        this.#try('no voter of higher rank answered');
        break;
      case 'deferring':
        this.#try('the voter of higher rank did not take over in time');
        break;
      case 'trying':
        this.#out.push({ type: 'give-up' });
        this.lost('phase 1 found no quorum in time');
        break;
      case 'following':
      case 'leading':
        break;
      default:
        assertNever(this.#state);
    }
  }

  #onSuspectTimer(now: Instant): void {
    if (this.#state !== 'following') return;
    const heard = this.hearsCoordinator(now);
    const afterMs = this.#suspicion.afterMs(now);
    const late = this.#onTimeSince !== null && now - this.#onTimeSince < afterMs;
    if (this.#coordinator !== null && ((heard !== null && heard !== this.#self) || late)) {
      return this.#armSuspicion(afterMs);
    }
    if (this.#coordinator !== null) {
      this.#silent = this.#coordinator;
      this.#suspect(`the coordinator was silent for ${Math.round(afterMs)} ms`);
    }
    this.#preVote();
  }

  #suspect(reason: string): void {
    this.#out.push({ type: 'suspected', coordinator: this.#coordinator, reason });
    this.#reason = reason;
    this.#coordinator = null;
    this.#heardAt = null;
  }

  /** Rule 2. A node that cannot reach a quorum stays silent: it would only raise rounds. */
  #preVote(): void {
    this.#attempt += 1;
    this.#state = 'pre-voting';
    this.#noes = new Set([this.#self]);
    if (this.#noes.size >= this.#quorum) return this.#challenge();
    for (const { node } of this.#voters) {
      if (node !== this.#self) this.#send(node, { type: 'pre-vote', attempt: this.#attempt });
    }
    this.#arm('election', this.#timing.answerMs);
  }

  /**
   * Rule 3. Voters of higher rank that are reachable go first. Not the coordinator whose silence began this: its
   * connection may stay open long after it is gone, and waiting for its answer would only prolong the silence.
   */
  #challenge(): void {
    if (this.#heir) return this.#try('it coordinated until the voters changed');
    this.#challenged = new Set(
      this.#voters
        .filter((voter) => this.#outranksSelf(voter) && this.#isReachable(voter.node))
        .map(({ node }) => node),
    );
    if (this.#challenged.size === 0) return this.#try(this.#reason);
    this.#state = 'challenging';
    for (const node of this.#challenged) this.#send(node, { type: 'election', attempt: this.#attempt });
    this.#arm('election', this.#timing.answerMs);
  }

  #isReachable(voter: NodeId): boolean {
    return this.#connected.has(voter) && voter !== this.#silent;
  }

  #outranksSelf(voter: ElectionVoter): boolean {
    const own = this.#voters.find(({ node }) => node === this.#self);
    return voter.rank > (own?.rank ?? 0) || (voter.rank === own?.rank && compareText(voter.node, this.#self) > 0);
  }

  /** Rule 4 begins: phase 1 follows. */
  #try(reason: string): void {
    this.#state = 'trying';
    this.#arm('election', this.#timing.tryMs);
    this.#out.push({ type: 'try', reason });
  }

  receive(now: Instant, from: NodeId, message: ElectionMessage): void {
    // Only voters take part; a learner's answer would count towards no quorum.
    if (!this.#hasSeat || !this.#voters.some(({ node }) => node === from)) return;
    if (this.#silent === from) this.#silent = null;
    switch (message.type) {
      case 'pre-vote':
        this.#notCoordinating(from);
        this.#send(from, {
          type: 'pre-vote-answer',
          attempt: message.attempt,
          coordinatorAlive: this.hearsCoordinator(now) !== null,
        });
        break;
      case 'pre-vote-answer':
        this.#onPreVoteAnswer(from, message);
        break;
      case 'election':
        this.#notCoordinating(from);
        this.#onElection(now, from, message);
        break;
      case 'answer':
        this.#onAnswer(from, message);
        break;
      default:
        assertNever(message);
    }
  }

  /**
   * Whoever asks does not coordinate, or it would not ask: a coordinator that was outbid must not be held up, and others
   * neither, by voters that still believe in it. Connections keep order, so this is no question from before it won.
   */
  #notCoordinating(candidate: NodeId): void {
    if (candidate === this.#coordinator && candidate !== this.#self) this.#suspect('the coordinator asks for votes');
  }

  #onPreVoteAnswer(from: NodeId, message: Of<'pre-vote-answer'>): void {
    if (this.#state !== 'pre-voting' || message.attempt !== this.#attempt) return;
    if (message.coordinatorAlive) return this.lost('another voter still hears the coordinator');
    this.#noes.add(from);
    if (this.#noes.size >= this.#quorum) this.#challenge();
  }

  #onElection(now: Instant, from: NodeId, message: Of<'election'>): void {
    const alive = this.hearsCoordinator(now) !== null;
    // A stronger voter without a quorum must let the weaker one go on, or neither ever does.
    const verdict = alive ? 'coordinator-alive' : this.#reachesQuorum() && !this.reluctant ? 'fit' : 'not-fit';
    this.#send(from, { type: 'answer', attempt: message.attempt, verdict });
    if (verdict === 'fit' && this.#state === 'following') {
      this.#reason = 'a voter of lower rank asked';
      this.#preVote();
    }
  }

  #reachesQuorum(): boolean {
    return this.#voters.filter(({ node }) => node === this.#self || this.#connected.has(node)).length >= this.#quorum;
  }

  #onAnswer(from: NodeId, message: Of<'answer'>): void {
    if (this.#state !== 'challenging' || message.attempt !== this.#attempt || !this.#challenged.has(from)) return;
    switch (message.verdict) {
      case 'fit':
        this.#state = 'deferring';
        this.#arm('election', 2 * this.#timing.answerMs);
        break;
      case 'coordinator-alive':
        this.lost('a voter of higher rank still hears the coordinator');
        break;
      case 'not-fit':
        this.#challenged.delete(from);
        if (this.#challenged.size === 0) this.#try('voters of higher rank cannot reach a quorum');
        break;
      default:
        assertNever(message.verdict);
    }
  }

  #follow(): void {
    this.#state = 'following';
    this.#cancel('election');
  }

  /** Tries again soon, at a random moment, so that two candidates do not keep meeting. */
  #armRetry(): void {
    if (this.#hasSeat) this.#armSuspicion(100 + this.#random.below(this.#timing.answerMs));
  }

  #armSuspicion(afterMs: number): void {
    const waitMs = this.reluctant && this.#voters.length > 1 ? afterMs + 3 * this.#timing.suspectMs : afterMs;
    this.#arm('suspect', waitMs === 0 ? 0 : waitMs + this.#random.below(Math.max(1, Math.floor(waitMs / 5))));
  }

  #arm(timer: ElectionTimer, afterMs: number): void {
    this.#out.push({ type: 'set-timer', timer, afterMs });
  }

  #cancel(timer: ElectionTimer): void {
    this.#out.push({ type: 'cancel-timer', timer });
  }

  #send(to: NodeId, message: ElectionMessage): void {
    this.#out.push({ type: 'send', to, message });
  }
}
