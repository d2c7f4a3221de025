import { assert } from '../../../shared/assert.ts';
import { slot, type Slot } from '../../../shared/domain/ids.ts';
import { checkpointsKept, entriesPerCheckpoint } from '../machine/limits.ts';
import { compareBallots, type Ballot } from './ballot.ts';
import type { Snapshot } from './facts.ts';
import { chainAfter, newChain, nextLink, type LogChain } from './log-chain.ts';
import type { Entry, Vote } from './messages.ts';
import type { VoterConfig } from './voters.ts';

/** An entry that was chosen, in the order of the log. */
export interface Chosen<Payload> {
  readonly slot: Slot;
  readonly entry: Entry<Payload>;
}

/**
 * What one replica knows of the log: a chosen prefix, of which the oldest part may be compacted into a
 * snapshot, and this acceptor's votes above it.
 *
 * Invariant: every slot up to `committed` is chosen and known here or covered by the snapshot; every vote
 * is for a slot above `committed` and for a ballot of the configuration in force there.
 */
export class SlotLog<Payload> {
  /** Null until the first snapshot arrives: a machine that has just joined knows no configuration. */
  #config: VoterConfig | null = null;
  #snapshot: Snapshot | null = null;
  #committed = slot(0);
  /** The lowest slot whose entry is still kept. */
  #firstKept = slot(1);
  readonly #chosen = new Map<Slot, Entry<Payload>>();
  readonly #votes = new Map<Slot, Vote<Payload>>();
  #highestVote = 0;
  #chain = newChain(slot(0));
  /** The chain as it was at the latest slots where states are compared. */
  readonly #marks = new Map<Slot, LogChain>();

  get committed(): Slot {
    return this.#committed;
  }

  /** The configuration in force at `committed` + 1. */
  get config(): VoterConfig | null {
    return this.#config;
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  /** Of the entries up to `committed`. */
  get chain(): LogChain {
    return this.#chain;
  }

  /** The chain at a slot where states are compared; undefined where that is long ago. */
  chainAt(at: Slot): LogChain | undefined {
    return this.#marks.get(at);
  }

  /**
   * Another machine's chain goes further back than this one, which began with a snapshot that had none, and both agree
   * on the state at `at`: this log goes on with that one. Answers false where the entries since are not kept.
   */
  adoptChain(at: Slot, chain: LogChain): boolean {
    const goesBack = chain.version === this.#chain.version && chain.origin < this.#chain.origin;
    if (!goesBack || at > this.#committed || at + 1 < this.#firstKept) return false;
    this.#chain = chain;
    this.#mark(at);
    for (let next = slot(at + 1); next <= this.#committed; next = slot(next + 1)) this.#link(next);
    return true;
  }

  #link(at: Slot): void {
    this.#chain = nextLink(this.#chain, at, this.#chosen.get(at));
    this.#mark(at);
  }

  #mark(at: Slot): void {
    if (at % entriesPerCheckpoint !== 0) return;
    this.#marks.set(at, this.#chain);
    this.#marks.delete(slot(at - checkpointsKept * entriesPerCheckpoint));
  }

  get firstKept(): Slot {
    return this.#firstKept;
  }

  /** Whether a learner that asks from `from` can be served entries rather than the snapshot. */
  canServeFrom(from: Slot): boolean {
    return from >= this.#firstKept;
  }

  chosenAt(at: Slot): Entry<Payload> | undefined {
    return this.#chosen.get(at);
  }

  voteAt(at: Slot): Vote<Payload> | undefined {
    return this.#votes.get(at);
  }

  /** All votes above the commit index, by slot. */
  votes(): Vote<Payload>[] {
    const found: Vote<Payload>[] = [];
    for (let at = this.#committed + 1; at <= this.#highestVote; at++) {
      const vote = this.#votes.get(slot(at));
      if (vote !== undefined) found.push(vote);
    }
    return found;
  }

  vote(at: Slot, ballot: Ballot, entry: Entry<Payload>): void {
    if (at <= this.#committed) return;
    const earlier = this.#votes.get(at);
    assert(
      earlier === undefined || compareBallots(earlier.ballot, ballot) <= 0,
      `vote at ${at} goes back to a lower ballot`,
    );
    this.#votes.set(at, { slot: at, ballot, entry });
    this.#highestVote = Math.max(this.#highestVote, at);
  }

  /** Replays a vote. A compacted journal may begin with later votes than those that follow, so older ones are passed over. */
  restoreVote(at: Slot, ballot: Ballot, entry: Entry<Payload>): void {
    const known = this.#votes.get(at);
    if (known === undefined || compareBallots(known.ballot, ballot) <= 0) this.vote(at, ballot, entry);
  }

  /** Appends the entry chosen for the slot after `committed`. A stop-sign starts the next configuration there. */
  commit(entry: Entry<Payload>): Chosen<Payload> {
    const at = slot(this.#committed + 1);
    this.#chosen.set(at, entry);
    this.#votes.delete(at);
    this.#committed = at;
    this.#link(at);
    if (entry.type === 'stop-sign') this.#beginConfig(at, entry.voters);
    return { slot: at, entry };
  }

  #beginConfig(stopSlot: Slot, voters: VoterConfig['voters']): void {
    assert(this.#config !== null, 'a stop-sign was chosen without a configuration to end');
    this.#config = {
      epoch: this.#config.epoch,
      id: this.#config.id + 1,
      firstSlot: slot(stopSlot + 1),
      voters,
      cuts: this.#config.cuts,
    };
    // Votes of the ended configuration behind its stop-sign can never be chosen (Stoppable Paxos, section 3).
    for (let at = stopSlot + 1; at <= this.#highestVote; at++) this.#votes.delete(slot(at));
    this.#highestVote = stopSlot;
  }

  /** Replaces everything up to the snapshot's slot. Returns false, changing nothing, if the log is already past it. */
  install(snapshot: Snapshot): boolean {
    if (this.#config !== null && snapshot.slot <= this.#committed) return false;
    this.#snapshot = snapshot;
    this.#config = snapshot.config;
    this.#committed = snapshot.slot;
    this.#chain = chainAfter(snapshot);
    this.#marks.clear();
    this.#firstKept = slot(snapshot.slot + 1);
    this.#chosen.clear();
    for (const [at, vote] of this.#votes) {
      if (at <= snapshot.slot || vote.ballot.config !== snapshot.config.id) this.#votes.delete(at);
    }
    return true;
  }

  /** Goes on in a new epoch, far behind everything that was ever chosen; the next snapshot covers all before it. */
  beginEpoch(config: VoterConfig): void {
    this.#config = config;
    this.#committed = slot(config.firstSlot - 1);
    this.#firstKept = config.firstSlot;
    this.#chosen.clear();
    this.#marks.clear();
    this.#votes.clear();
    this.#highestVote = 0;
  }

  /** What this replica has behind a slot: chosen entries that are still kept, then votes, in order. */
  entriesAfter(last: Slot): Entry<Payload>[] {
    const found: Entry<Payload>[] = [];
    for (let at = Math.max(last + 1, this.#firstKept); at <= Math.max(this.#committed, this.#highestVote); at++) {
      const entry = this.#chosen.get(slot(at)) ?? this.#votes.get(slot(at))?.entry;
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** Lets a snapshot of this replica's own state at `committed` stand for the log, keeping some entries for laggards. */
  compact(snapshot: Snapshot, keepBehind: number): void {
    assert(snapshot.slot === this.#committed, 'a snapshot must be of the state at the commit index');
    this.#snapshot = snapshot;
    const firstKept = Math.max(this.#firstKept, snapshot.slot - keepBehind + 1);
    for (let at: number = this.#firstKept; at < firstKept; at++) this.#chosen.delete(slot(at));
    this.#firstKept = slot(firstKept);
  }
}
