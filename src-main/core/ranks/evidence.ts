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
  readonly #share = new Map<NodeId, number>();
  #lookedAt: Instant | null = null;
  #proposedAt: Instant | null = null;

  /** A new office: what was seen in an earlier one is in the bands. */
  begin(now: Instant): void {
    this.#share.clear();
    this.#lookedAt = now;
    this.#proposedAt = now;
  }

  /** Looks who is heard now, among these machines. */
  look(now: Instant, machines: Iterable<NodeId>, isHeard: (node: NodeId) => boolean, ranks: RankTable): void {
    const passedMs = this.#lookedAt === null ? 0 : now - this.#lookedAt;
    this.#lookedAt = now;
    if (passedMs <= 0 || passedMs > gapMax) return;
    const weight = 1 - Math.exp(-passedMs / memoryMs);
    for (const node of machines) {
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
