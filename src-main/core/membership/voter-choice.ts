import { compareText, type NodeId } from '../../../shared/domain/ids.ts';

/** A machine that could sit among the voters. */
export interface Candidate {
  readonly node: NodeId;
  readonly incarnation: string;
  /** Slots behind the coordinator; null when the coordinator does not hear it. */
  readonly lag: number | null;
}

export interface Seat {
  readonly node: NodeId;
  readonly incarnation: string;
  readonly rank: number;
}

/** A new voter must be a learner within this many entries first (Autopilot's number). */
const lagMax = 250;

/** The rank of a seat given to a machine that had none. */
const newSeatRank = 100;

const wantedVoters = 3;

/**
 * Which machines should vote, or null when those that do are right: one below three members, three from three on.
 * Seats of machines that are no longer members, or whose state directory is a new one, are given up; a seat is never
 * taken from a machine merely because it is asleep. Never two voters: both would have to be up.
 */
export function chooseVoters(options: {
  readonly self: NodeId;
  readonly seats: readonly Seat[];
  readonly candidates: readonly Candidate[];
  readonly isMember: (node: NodeId) => boolean;
}): readonly Seat[] | null {
  const { self, seats, candidates, isMember } = options;
  const incarnations = new Map(candidates.map(({ node, incarnation }) => [node, incarnation]));
  const kept = seats.filter(
    ({ node, incarnation }) => isMember(node) && (incarnations.get(node) ?? incarnation) === incarnation,
  );
  const joining = candidates
    .filter(
      ({ node, lag }) => lag !== null && lag <= lagMax && isMember(node) && !kept.some((seat) => seat.node === node),
    )
    .sort((left, right) => compareText(left.node, right.node))
    .map(({ node, incarnation }) => ({ node, incarnation, rank: newSeatRank }));
  const wanted = [...kept, ...joining].slice(0, Math.max(wantedVoters, kept.length));
  const chosen =
    wanted.length >= wantedVoters ? wanted.slice(0, wantedVoters) : kept.filter(({ node }) => node === self);
  if (chosen.length === 0 || sameSeats(chosen, seats)) return null;
  return chosen;
}

function sameSeats(left: readonly Seat[], right: readonly Seat[]): boolean {
  return (
    left.length === right.length &&
    left.every((seat) => right.some((other) => other.node === seat.node && other.incarnation === seat.incarnation))
  );
}
