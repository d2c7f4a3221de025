import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import type { EpochCut, Voter, VoterConfig } from './voters.ts';
import type { Entry, Vote } from './messages.ts';

/** A new epoch begins so far behind the end of the old one that no slot, and so no token, of the two is the same. */
export const epochJumpSlots = 2 ** 20;

/** Entries of an ended epoch that this machine had and the new one does not: for people to look through. */
export interface SetAside<Payload> {
  /** The epoch that has ended. */
  readonly epoch: number;
  readonly entries: readonly Entry<Payload>[];
}

/** What a machine had when it promised. */
interface Report<Payload> {
  readonly committed: Slot;
  readonly votes: readonly Vote<Payload>[];
}

interface Opening {
  readonly epoch: number;
  readonly voters: readonly Voter[];
  readonly from: ReadonlySet<NodeId>;
}

/**
 * A forced new quorum (docs/protocols/recovery.md). Machines promise, on disk, to hear no lower epoch any more and
 * report what they have, as in phase 1 of Paxos but over epochs; once all who were asked have promised, one of them
 * opens the new epoch with the most advanced log among them. A person decides that, never a machine.
 */
export class Epochs<Payload> {
  /** The epoch promised last, and to whom. */
  #promised: { readonly epoch: number; readonly to: NodeId } | null = null;
  #opening: Opening | null = null;
  readonly #promises = new Map<NodeId, Report<Payload>>();
  #setAside: SetAside<Payload>[] = [];

  get promised(): { readonly epoch: number; readonly to: NodeId } | null {
    return this.#promised;
  }

  /** Lower epochs are not heard. */
  get floor(): number {
    return this.#promised?.epoch ?? 0;
  }

  /**
   * Whether a snapshot of this epoch may replace the log. One of an epoch that is to end may not, because what it covers
   * could not be set aside entry by entry; only whoever opens the next epoch must catch up by any means first.
   */
  mayTake(epoch: number): boolean {
    return epoch >= this.floor || this.#opening?.epoch === this.floor;
  }

  /** What was set aside and not yet looked through. */
  get setAside(): readonly SetAside<Payload>[] {
    return this.#setAside;
  }

  /** False for an epoch that is not above all promised before, or that was promised to somebody else. */
  mayPromise(epoch: number, to: NodeId, config: VoterConfig | null): boolean {
    if (epoch <= (config?.epoch ?? 0) || epoch < this.floor) return false;
    return this.#promised?.epoch !== epoch || this.#promised.to === to;
  }

  promise(epoch: number, to: NodeId): void {
    if (this.#promised?.epoch !== epoch) this.#promises.clear();
    this.#promised = { epoch, to };
  }

  keepAside(aside: SetAside<Payload>): void {
    this.#setAside.push(aside);
  }

  forgetAside(): void {
    this.#setAside = [];
  }

  /** Asks for the epoch to be opened with these voters once all of `from` have promised it. */
  open(opening: Opening): void {
    this.#opening = opening;
  }

  notePromise(from: NodeId, epoch: number, promise: Report<Payload>): void {
    if (epoch === this.#promised?.epoch) this.#promises.set(from, promise);
  }

  /** What the promises report, once everybody who was asked has promised; null before. */
  get report(): {
    readonly opening: Opening;
    readonly committed: Slot;
    readonly at: NodeId;
    readonly votes: Vote<Payload>[];
  } | null {
    const opening = this.#opening;
    if (opening === null || opening.epoch !== this.#promised?.epoch) return null;
    let best: { readonly committed: Slot; readonly at: NodeId } | null = null;
    const votes: Vote<Payload>[] = [];
    for (const node of opening.from) {
      const promise = this.#promises.get(node);
      if (promise === undefined) return null;
      votes.push(...promise.votes);
      if (best === null || promise.committed > best.committed) best = { committed: promise.committed, at: node };
    }
    return best === null ? null : { opening, ...best, votes };
  }

  opened(): void {
    this.#opening = null;
    this.#promises.clear();
  }
}

/** The first configuration of a new epoch. Ends the epoch of `last` at `committed`. */
export function firstConfigOf(
  epoch: number,
  last: VoterConfig,
  committed: Slot,
  voters: readonly Voter[],
): VoterConfig {
  const cuts = [...last.cuts, { epoch: last.epoch, lastSlot: committed }];
  return { epoch, id: last.id + 1, firstSlot: slot(committed + epochJumpSlots + 1), voters, cuts };
}

/** The last slot of an ended epoch that a later one took over; null when it has not ended. */
export function cutOf(epoch: number, cuts: readonly EpochCut[]): Slot | null {
  return cuts.find((cut) => cut.epoch >= epoch)?.lastSlot ?? null;
}
