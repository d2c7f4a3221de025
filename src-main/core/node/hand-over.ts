import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import type { Voter } from '../paxos/voters.ts';
import { rankPerBand } from '../ranks/rank-table.ts';

/** A coordinator whose successor has not shown a higher ballot after this goes on itself. */
export const handOverPatienceMs = 1_000;

/** A successor may be this many entries behind; it catches up in its phase 1. */
const lagMax = 250;

interface UnderWay {
  readonly to: NodeId;
  readonly reason: string;
  readonly since: Instant;
  sentAt: Instant | null;
}

/**
 * The only way in which a living coordinator is followed by another: it says so itself (Ongaro 2014, section 3.10).
 * It takes no more proposals into the log, lets what is in flight be chosen, then names the voter that may prepare.
 */
export class HandOver {
  readonly #repeatMs: number;
  #underWay: UnderWay | null = null;

  /** Unanswered, the word is given again after `repeatMs`. */
  constructor(repeatMs: number) {
    this.#repeatMs = repeatMs;
  }

  /** To whom; null while none is under way. */
  get successor(): NodeId | null {
    return this.#underWay?.to ?? null;
  }

  /** One that is under way goes on. */
  begin(now: Instant, to: NodeId, reason: string): void {
    this.#underWay ??= { to, reason, since: now, sentAt: null };
  }

  /** The word to give now that nothing is in flight, unless it was given a moment ago. */
  due(now: Instant): { readonly to: NodeId; readonly reason: string } | null {
    const underWay = this.#underWay;
    if (underWay === null) return null;
    if (underWay.sentAt !== null && now - underWay.sentAt < this.#repeatMs) return null;
    underWay.sentAt = now;
    return underWay;
  }

  /** Gives it up when nothing has come of it in time: the coordinator goes on. */
  expire(now: Instant): void {
    if (this.#underWay !== null && now - this.#underWay.since >= handOverPatienceMs) this.#underWay = null;
  }

  /** Coordination is over. Answers to whom it was to go, if a hand-over was under way. */
  end(): NodeId | null {
    const to = this.successor;
    this.#underWay = null;
    return to;
  }
}

/** The voters that could take over now, the best first: by rank, then by how far each has the log. */
export function successors(
  self: NodeId,
  voters: readonly Voter[],
  committed: Slot,
  progress: ReadonlyMap<NodeId, Slot>,
): readonly NodeId[] {
  const far = (node: NodeId): number => progress.get(node) ?? Number.NEGATIVE_INFINITY;
  return voters
    .filter(({ node }) => node !== self && committed - far(node) <= lagMax)
    .sort((left, right) => right.rank - left.rank || far(right.node) - far(left.node))
    .map(({ node }) => node);
}

/** A voter must outrank the coordinator by this many bands, and have been steady for this long, to be let go ahead. */
const preferredBands = 2;
const preferredSteadyMs = 30 * 60_000;

/** Between hand-overs for the sake of rank: every one of them costs a moment without coordinator. */
export const preferenceEveryMs = 3_600_000;

/** The voter that should coordinate instead of this one, or null: mostly the one that does is good enough. */
export function preferredSuccessor(
  self: NodeId,
  voters: readonly Voter[],
  steadyMs: (node: NodeId) => number | null,
): NodeId | null {
  const own = voters.find(({ node }) => node === self)?.rank ?? 0;
  const [best] = voters
    .filter(
      ({ node, rank }) => rank >= own + preferredBands * rankPerBand && (steadyMs(node) ?? 0) >= preferredSteadyMs,
    )
    .sort((left, right) => right.rank - left.rank);
  return best?.node ?? null;
}
