import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';

/** An entry waits at most this long for its second copy; then it is chosen with one, and shown so. */
export const copyWaitMs = 200;

/** Entries that, as far as this coordinator knows, only its own disk holds. */
export interface SingleCopies {
  readonly firstSlot: Slot;
  readonly count: number;
}

/**
 * The second disk of a swarm with one voter (docs/protocols/membership.md): a learner that is sent every entry together with
 * the voter, keeps it before it is chosen, and says so. It is asked for a copy, never for a vote: a quorum never
 * counts it, and no entry waits for it for longer than `copyWaitMs`.
 */
export class Copies {
  /** Entries up to here were chosen before this office; what other disks hold of them is unknown until one answers. */
  readonly #knownFrom: Slot;
  #holder: NodeId | null = null;
  /** It answered what it was sent last: worth waiting for. */
  #prompt = false;
  /** The longest prefix that some other disk is known to hold. */
  #through: Slot | null = null;

  constructor(committed: Slot) {
    this.#knownFrom = committed;
  }

  get holder(): NodeId | null {
    return this.#holder;
  }

  /** Keeps the present holder while it is connected, else takes the machine that has the most. */
  choose(connected: readonly NodeId[], progressOf: (node: NodeId) => Slot | null): void {
    if (this.#holder !== null && connected.includes(this.#holder)) return;
    let best: { readonly node: NodeId; readonly committed: Slot } | null = null;
    for (const node of connected) {
      const committed = progressOf(node);
      if (committed !== null && (best === null || committed > best.committed)) best = { node, committed };
    }
    this.#holder = best?.node ?? null;
    this.#prompt = false;
  }

  /** A machine without a vote has the log on its disk up to here. */
  noteProgress(committed: Slot): void {
    this.#through = slot(Math.max(committed, this.#through ?? 0));
  }

  /** The holder keeps these entries. Answers whether it is the holder that says so. */
  noteKept(from: NodeId, firstSlot: Slot, lastSlot: Slot): boolean {
    if (from !== this.#holder) return false;
    this.#prompt = true;
    // A prefix with a gap in it is no copy of what follows the gap.
    if (this.#through !== null && firstSlot <= this.#through + 1 && lastSlot > this.#through) this.#through = lastSlot;
    return true;
  }

  /** The holder cannot keep up just now: nothing waits for it until it answers again. */
  noteLate(from: NodeId): void {
    if (from === this.#holder) this.#prompt = false;
  }

  /** Milliseconds for which an entry must still wait for its copy; 0 for none. */
  waitLeftMs(now: Instant, at: Slot, proposedAt: Instant): number {
    if (this.#holder === null || !this.#prompt || at <= (this.#through ?? 0)) return 0;
    return Math.max(0, proposedAt + copyWaitMs - now);
  }

  /** What would be lost with this machine's disk, of the entries up to `committed`; null for nothing. */
  single(committed: Slot): SingleCopies | null {
    const through = this.#through ?? this.#knownFrom;
    return committed > through ? { firstSlot: slot(through + 1), count: committed - through } : null;
  }
}
