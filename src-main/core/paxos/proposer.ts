import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { entriesPerMessageMax, slotsInFlightMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import { compareBallots, sameBallot, type Ballot } from './ballot.ts';
import { Copies, type SingleCopies } from './copies.ts';
import type { EffectList } from './effects.ts';
import type { Entry, PaxosMessage, Vote } from './messages.ts';
import { entriesToRepropose } from './repropose.ts';
import type { SlotLog } from './slot-log.ts';
import { mayVote, quorumOf, voterIn, type Voter, type VoterConfig } from './voters.ts';

type Of<Payload, Type extends PaxosMessage<Payload>['type']> = Extract<PaxosMessage<Payload>, { type: Type }>;

interface Preparing<Payload> {
  readonly type: 'preparing';
  readonly ballot: Ballot;
  readonly leave: Ballot | null;
  readonly config: VoterConfig;
  readonly promises: Map<NodeId, { readonly committed: Slot; readonly votes: readonly Vote<Payload>[] }>;
  /** Voters that promise nothing for now, because they hear a coordinator. */
  readonly refusedBy: Set<NodeId>;
}

interface InFlight<Payload> {
  readonly entry: Entry<Payload>;
  readonly proposedAt: Instant;
  /** When it was last sent to those who do not hold it. */
  sentAt: Instant;
  /** Which voters, by index, hold it on disk. */
  heldBy: number;
}

interface Leading<Payload> {
  readonly type: 'leading';
  readonly ballot: Ballot;
  readonly config: VoterConfig;
  /** The barrier is behind it: it serves. */
  open: boolean;
  /** A stop-sign is proposed: nothing may follow it in this configuration. */
  closing: boolean;
  nextSlot: Slot;
  /** Proposed and not yet chosen: the entry, and which voters (by index) hold it on disk. */
  readonly inFlight: Map<Slot, InFlight<Payload>>;
  beat: number;
  readonly beatSentAt: Map<number, Instant>;
  readonly ackedBeat: Map<NodeId, number>;
  /** How far others have the log; kept only where one voter votes alone. */
  readonly progress: Map<NodeId, Slot>;
  quorumAt: Instant;
  /** The commit index that everybody was told, and the one that those were told who wait for it. */
  lastCommitSent: Slot;
  lastCommitHurried: Slot;
  /** Where one voter votes alone: who else has what it wrote. */
  readonly copies: Copies | null;
}

type State<Payload> = { readonly type: 'idle' } | Preparing<Payload> | Leading<Payload>;

/** Beats whose sending time is remembered while their answers are awaited. */
const beatsRemembered = 32;

/** The active role: a candidate in phase 1, then the coordinator of its ballot in phase 2. */
export class Proposer<Payload> {
  readonly #self: NodeId;
  readonly #log: SlotLog<Payload>;
  readonly #out: EffectList<Payload>;
  readonly #level: () => number;
  #state: State<Payload> = { type: 'idle' };

  constructor(self: NodeId, log: SlotLog<Payload>, out: EffectList<Payload>, level: () => number) {
    this.#self = self;
    this.#log = log;
    this.#out = out;
    this.#level = level;
  }

  get phase(): State<Payload>['type'] {
    return this.#state.type;
  }

  get ballot(): Ballot | null {
    return this.#state.type === 'idle' ? null : this.#state.ballot;
  }

  /** The own-ballot barrier is chosen: requests may be proposed. */
  get open(): boolean {
    return this.#state.type === 'leading' && this.#state.open;
  }

  get closing(): boolean {
    return this.#state.type === 'leading' && this.#state.closing;
  }

  /** Slots that may still be proposed now. */
  get room(): number {
    if (this.#state.type !== 'leading' || !this.#state.open || this.#state.closing) return 0;
    return slotsInFlightMax - this.#state.inFlight.size;
  }

  get inFlight(): number {
    return this.#state.type === 'leading' ? this.#state.inFlight.size : 0;
  }

  /** When a quorum last answered a heartbeat: the time that heartbeat left. */
  get quorumAt(): Instant | null {
    return this.#state.type === 'leading' ? this.#state.quorumAt : null;
  }

  stop(): void {
    this.#state = { type: 'idle' };
  }

  /** Phase 1. The caller has put the own promise before this in the list of effects. */
  prepare(ballot: Ballot, config: VoterConfig, leave: Ballot | null): void {
    this.#state = { type: 'preparing', ballot, leave, config, promises: new Map(), refusedBy: new Set() };
    this.repeatPrepare();
  }

  repeatPrepare(): void {
    const state = this.#state;
    if (state.type !== 'preparing') return;
    const fromSlot = slot(this.#log.committed + 1);
    for (const { node } of state.config.voters) {
      if (node === this.#self || state.promises.has(node)) continue;
      this.#out.send(node, { type: 'prepare', ballot: state.ballot, fromSlot, leave: state.leave });
    }
  }

  onPromise(from: NodeId, message: Of<Payload, 'promise'>): void {
    const state = this.#state;
    if (state.type !== 'preparing' || !sameBallot(state.ballot, message.ballot)) return;
    if (voterIn(state.config, from) === undefined) return;
    state.refusedBy.delete(from);
    state.promises.set(from, { committed: message.committed, votes: message.votes });
  }

  /**
   * A voter hears a coordinator and promises nothing for now. Answers whether a quorum is out of reach by that: one
   * voter whose belief is out of date must not hold up those that would promise.
   */
  onRefusedByFollower(from: NodeId): boolean {
    const state = this.#state;
    if (state.type !== 'preparing') return false;
    if (voterIn(state.config, from) !== undefined && !state.promises.has(from)) state.refusedBy.add(from);
    return state.config.voters.length - state.refusedBy.size < quorumOf(state.config);
  }

  /**
   * The highest commit index in a phase-1 quorum and who has it; null without a quorum. A candidate must hold
   * that prefix before it fills gaps, or it would put no-ops over chosen entries.
   */
  catchUpTarget(): { readonly committed: Slot; readonly node: NodeId } | null {
    const state = this.#state;
    if (state.type !== 'preparing' || state.promises.size < quorumOf(state.config)) return null;
    let target = { committed: this.#log.committed, node: this.#self };
    for (const [node, promise] of state.promises) {
      if (promise.committed > target.committed) target = { committed: promise.committed, node };
    }
    return target;
  }

  /** Phase 2 begins: what a quorum may have chosen is proposed again under this ballot, then the barrier. */
  lead(now: Instant): void {
    const state = this.#state;
    if (state.type !== 'preparing') return;
    const first = slot(this.#log.committed + 1);
    const votes = [...state.promises.values()].flatMap((promise) => promise.votes);
    const { entries, stopped } = entriesToRepropose(first, votes);
    const leading: Leading<Payload> = {
      type: 'leading',
      ballot: state.ballot,
      config: state.config,
      open: false,
      closing: stopped,
      nextSlot: first,
      inFlight: new Map(),
      beat: 0,
      beatSentAt: new Map(),
      ackedBeat: new Map(),
      progress: new Map(),
      quorumAt: now,
      lastCommitSent: this.#log.committed,
      lastCommitHurried: this.#log.committed,
      copies: state.config.voters.length === 1 ? new Copies(this.#log.committed) : null,
    };
    this.#state = leading;
    // Nothing may follow a stop-sign in its configuration, not even the barrier.
    this.#propose(now, stopped ? entries : [...entries, { type: 'open', ballot: state.ballot }]);
  }

  /** Proposes payloads in the next slots. The caller respects `room`. */
  propose(now: Instant, payloads: readonly Payload[]): void {
    this.#propose(
      now,
      payloads.map((payload) => ({ type: 'payload', payload })),
    );
  }

  /**
   * Ends this configuration. Only behind the own-ballot barrier (Ongaro's correction of 2015 to one-step changes),
   * with no other change under way, and when nothing is in flight, so that the stop-sign is the last entry of its ballot.
   */
  proposeStopSign(now: Instant, voters: readonly Voter[]): boolean {
    const state = this.#state;
    if (state.type !== 'leading' || !state.open || state.closing || state.inFlight.size > 0) return false;
    if (!mayVote(voters)) return false;
    state.closing = true;
    this.#propose(now, [{ type: 'stop-sign', voters }]);
    return true;
  }

  #propose(now: Instant, entries: readonly Entry<Payload>[]): void {
    const state = this.#state;
    if (state.type !== 'leading') return;
    for (let start = 0; start < entries.length; start += entriesPerMessageMax) {
      const part = entries.slice(start, start + entriesPerMessageMax);
      const firstSlot = state.nextSlot;
      part.forEach((entry, index) => {
        state.inFlight.set(slot(firstSlot + index), { entry, proposedAt: now, sentAt: now, heldBy: 0 });
      });
      state.nextSlot = slot(firstSlot + part.length);
      // The own vote travels like any other and counts only once it is on disk.
      for (const { node } of state.config.voters) this.#sendAccept(state, node, firstSlot, part);
      const holder = state.copies?.holder ?? null;
      if (holder !== null) this.#sendAccept(state, holder, firstSlot, part);
    }
  }

  #sendAccept(state: Leading<Payload>, to: NodeId, firstSlot: Slot, entries: readonly Entry<Payload>[]): void {
    const committed = this.#log.committed;
    this.#out.send(to, { type: 'accept', ballot: state.ballot, firstSlot, entries, committed });
    state.lastCommitSent = committed;
  }

  /** Counts votes. Answers the entries that are now chosen, for slots from `committed` + 1 on, in order. */
  onAccepted(now: Instant, from: NodeId, message: Of<Payload, 'accepted'>): Entry<Payload>[] {
    const state = this.#state;
    if (state.type !== 'leading' || !sameBallot(state.ballot, message.ballot)) return [];
    const seat = state.config.voters.findIndex((voter) => voter.node === from);
    if (seat < 0) {
      const kept = state.copies?.noteKept(from, message.firstSlot, message.lastSlot) === true;
      return kept ? this.#takeChosen(now, state) : [];
    }
    for (let at: number = message.firstSlot; at <= message.lastSlot; at++) {
      const flight = state.inFlight.get(slot(at));
      if (flight !== undefined) flight.heldBy |= 1 << seat;
    }
    return this.#takeChosen(now, state);
  }

  /** Entries whose wait for a second copy is over. */
  copiesOverdue(now: Instant): Entry<Payload>[] {
    const state = this.#state;
    if (state.type !== 'leading' || state.copies === null) return [];
    const chosen = this.#takeChosen(now, state);
    // Whoever was waited for in vain is not waited for again until it answers.
    if (chosen.length > 0 && state.copies.holder !== null) state.copies.noteLate(state.copies.holder);
    return chosen;
  }

  /** A learner refuses copies: it lags, or has promised more. */
  onCopyRefused(from: NodeId): void {
    if (this.#state.type === 'leading') this.#state.copies?.noteLate(from);
  }

  /** Milliseconds until the next entry need not wait for its copy any more; null when none waits for one. */
  copyWaitLeftMs(now: Instant): number | null {
    const state = this.#state;
    if (state.type !== 'leading' || state.copies === null) return null;
    const next = slot(this.#log.committed + 1);
    const flight = state.inFlight.get(next);
    if (flight === undefined || bitCount(flight.heldBy) < quorumOf(state.config)) return null;
    return state.copies.waitLeftMs(now, next, flight.proposedAt);
  }

  /** Entries that only this disk holds, as far as is known; null where several vote, or for none. */
  get singleCopies(): SingleCopies | null {
    return this.#state.type === 'leading' ? (this.#state.copies?.single(this.#log.committed) ?? null) : null;
  }

  #takeChosen(now: Instant, state: Leading<Payload>): Entry<Payload>[] {
    const chosen: Entry<Payload>[] = [];
    const needed = quorumOf(state.config);
    for (let at = slot(this.#log.committed + 1); ; at = slot(at + 1)) {
      const flight = state.inFlight.get(at);
      if (flight === undefined || bitCount(flight.heldBy) < needed) break;
      if ((state.copies?.waitLeftMs(now, at, flight.proposedAt) ?? 0) > 0) break;
      state.inFlight.delete(at);
      chosen.push(flight.entry);
    }
    return chosen;
  }

  /** An entry was chosen, counted here or learned elsewhere: it is no longer in flight, and it may be this ballot's barrier. */
  noteChosen(at: Slot, entry: Entry<Payload>): void {
    const state = this.#state;
    if (state.type === 'leading') state.inFlight.delete(at);
    if (state.type === 'leading' && entry.type === 'open' && sameBallot(entry.ballot, state.ballot)) state.open = true;
  }

  /** A numbered sign of life to everyone given; answers to it show that a quorum still follows. */
  heartbeat(now: Instant, to: readonly NodeId[]): void {
    const state = this.#state;
    if (state.type !== 'leading') return;
    state.beat += 1;
    state.beatSentAt.set(state.beat, now);
    state.beatSentAt.delete(state.beat - beatsRemembered);
    state.ackedBeat.set(this.#self, state.beat);
    this.#noteQuorum(state);
    state.copies?.choose(
      to.filter((node) => node !== this.#self),
      (node) => state.progress.get(node) ?? null,
    );
    this.#sendHeartbeat(state, to);
  }

  /** A heartbeat to the voters alone, for the sake of its answers. Answers its number. */
  confirm(now: Instant): number {
    const state = this.#state;
    if (state.type !== 'leading') return 0;
    this.heartbeat(
      now,
      state.config.voters.map(({ node }) => node),
    );
    return state.beat;
  }

  /** Not everybody was told of the commit index yet, and no accept is under way that would carry it. */
  get hasCommitNews(): boolean {
    const state = this.#state;
    return state.type === 'leading' && state.lastCommitSent < this.#log.committed && state.inFlight.size === 0;
  }

  /** Tells `to` of a new commit index; `everybody`: nobody else needs to hear it. Once for those who are told first. */
  announceCommit(to: readonly NodeId[], everybody: boolean): void {
    const state = this.#state;
    if (state.type !== 'leading' || !this.hasCommitNews) return;
    if (everybody) this.#sendHeartbeat(state, to);
    else if (state.lastCommitHurried < this.#log.committed) this.#sendCommit(state, to);
    state.lastCommitHurried = this.#log.committed;
  }

  #sendHeartbeat(state: Leading<Payload>, to: readonly NodeId[]): void {
    this.#sendCommit(state, to);
    state.lastCommitSent = this.#log.committed;
  }

  #sendCommit({ ballot, beat }: Leading<Payload>, to: readonly NodeId[]): void {
    const committed = this.#log.committed;
    const level = this.#level();
    for (const node of to) {
      if (node !== this.#self) this.#out.send(node, { type: 'heartbeat', ballot, committed, beat, level });
    }
  }

  onHeartbeatAck(from: NodeId, message: Of<Payload, 'heartbeat-ack'>): void {
    const state = this.#state;
    if (state.type !== 'leading' || !sameBallot(state.ballot, message.ballot)) return;
    if (message.beat > state.beat) return;
    if (message.seated) state.ackedBeat.set(from, Math.max(message.beat, state.ackedBeat.get(from) ?? 0));
    if (state.copies !== null && from !== this.#self) {
      state.progress.set(from, message.committed);
      state.copies.noteProgress(message.committed);
    }
    this.#noteQuorum(state);
  }

  /** The latest heartbeat that a quorum of voters has answered under this ballot; 0 before the first. */
  get confirmedBeat(): number {
    const state = this.#state;
    if (state.type !== 'leading') return 0;
    const acked = state.config.voters.map((voter) => state.ackedBeat.get(voter.node) ?? 0).sort((a, b) => b - a);
    return acked[quorumOf(state.config) - 1] ?? 0;
  }

  #noteQuorum(state: Leading<Payload>): void {
    const beat = this.confirmedBeat;
    const sentAt = state.beatSentAt.get(beat);
    if (sentAt !== undefined && sentAt > state.quorumAt) state.quorumAt = sentAt;
  }

  /** Sends again, to voters that have not answered, what has been in flight since before `before`. Bounded per voter. */
  repeatAccepts(now: Instant, before: Instant): void {
    const state = this.#state;
    if (state.type !== 'leading') return;
    const repeated = new Set<InFlight<Payload>>();
    state.config.voters.forEach(({ node }, seat) => {
      let firstSlot: Slot | null = null;
      const run: Entry<Payload>[] = [];
      for (const [at, flight] of state.inFlight) {
        const wanted = flight.sentAt < before && (flight.heldBy & (1 << seat)) === 0;
        // One message names its first slot only, so a run ends at the first gap.
        const continues = firstSlot === null || at === firstSlot + run.length;
        if (wanted && continues && run.length < entriesPerMessageMax) {
          firstSlot ??= at;
          run.push(flight.entry);
          repeated.add(flight);
        } else if (firstSlot !== null) {
          break;
        }
      }
      if (firstSlot !== null) this.#sendAccept(state, node, firstSlot, run);
    });
    // Voters that are only slow would be slowed further by the same entries at every beat.
    for (const flight of repeated) flight.sentAt = now;
  }

  /** Whether a refusal shows that another ballot has won over this one. */
  isOutbid(message: Of<Payload, 'refuse'>): boolean {
    const ballot = this.ballot;
    return (
      ballot !== null &&
      sameBallot(ballot, message.ballot) &&
      message.promised !== null &&
      compareBallots(message.promised, ballot) > 0
    );
  }
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
