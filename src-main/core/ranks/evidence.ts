import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import { topBand, type RankMove, type RankTable } from './rank-table.ts';

const dayMs = 24 * 3_600_000;

/** What was seen longer ago than this counts for little: two weeks, so that week-ends do not decide. */
const memoryMs = 14 * dayMs;

/** A share must pass the border of a band by this much, so that a machine on it does not move to and fro. */
const margin = 0.03;

/** Between proposals of moves; each machine moves once a day at most. */
const proposeEveryMs = 3_600_000;

/** Looks further apart than this, as after sleep, say nothing about the time between. */
const gapMax = 60_000;

const bands = topBand + 1;

/**
 * How much of the time each machine is heard, as this coordinator sees it. A new coordinator begins with what the
 * applied band says and goes on from there, so a change of coordinator forgets less than one band.
 */
export class Evidence {
  readonly #self: NodeId;
  readonly #share = new Map<NodeId, number>();
  #beganAt: Instant | null = null;
  #lookedAt: Instant | null = null;
  #proposedAt: Instant | null = null;

  /** Of itself a coordinator knows only that it has been awake since it began to look. */
  constructor(self: NodeId) {
    this.#self = self;
  }

  /** An office that follows the last one at once, as after a change of voters, goes on with what that one saw. */
  begin(now: Instant): void {
    if (this.#lookedAt !== null && now - this.#lookedAt <= gapMax) return;
    this.forget();
    this.#beganAt = now;
    this.#lookedAt = now;
    this.#proposedAt = now;
  }

  /** This machine slept, and saw neither the others nor itself: what it saw before is in the bands. */
  forget(): void {
    this.#share.clear();
    this.#lookedAt = null;
  }

  /** Looks who is heard now, among these machines. */
  look(now: Instant, machines: Iterable<NodeId>, isHeard: (node: NodeId) => boolean, ranks: RankTable): void {
    const passedMs = this.#lookedAt === null ? 0 : now - this.#lookedAt;
    this.#lookedAt = now;
    if (passedMs <= 0 || passedMs > gapMax) return;
    const weight = 1 - Math.exp(-passedMs / memoryMs);
    // Before a whole day is over it may yet turn out to sleep at night.
    const knowsItself = this.#beganAt !== null && now - this.#beganAt >= dayMs;
    for (const node of machines) {
      if (node === this.#self && !knowsItself) continue;
      const known = this.#share.get(node) ?? (ranks.bandOf(node) + 0.5) / bands;
      this.#share.set(node, known + weight * ((isHeard(node) ? 1 : 0) - known));
    }
  }

  /** One band towards what was seen, for each machine that is clearly beyond its band; seldom. */
  moves(now: Instant, ranks: RankTable, isMember: (node: NodeId) => boolean): readonly RankMove[] {
    if (this.#proposedAt !== null && now - this.#proposedAt < proposeEveryMs) return [];
    this.#proposedAt = now;
    const moves: RankMove[] = [];
    for (const [node, share] of this.#share) {
      if (!isMember(node)) {
        this.#share.delete(node);
        continue;
      }
      const band = ranks.bandOf(node);
      if (band < topBand && share >= (band + 1) / bands + margin) moves.push({ node, band: band + 1 });
      else if (band > 0 && share < band / bands - margin) moves.push({ node, band: band - 1 });
    }
    return moves;
  }
}
