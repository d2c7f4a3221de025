import { compareText, type NodeId } from '../../../shared/domain/ids.ts';
import { majority } from '../machine/quorum.ts';

/** Why a machine is about to go: for good, or until it wakes or is started again. */
export type Departure = 'leave' | 'shutdown' | 'suspend';

/** A machine that is heard now: it could sit among the voters. */
export interface Candidate {
  readonly node: NodeId;
  readonly incarnation: string;
  readonly rank: number;
  /** Slots behind the coordinator. */
  readonly lag: number;
  /** For how long it has answered without a gap, in milliseconds. */
  readonly steadyMs: number;
}

export interface Seat {
  readonly node: NodeId;
  readonly incarnation: string;
  readonly rank: number;
}

export interface VoterChoice {
  readonly self: NodeId;
  readonly seats: readonly Seat[];
  /** The machines that are heard, among them this one. */
  readonly candidates: readonly Candidate[];
  readonly isMember: (node: NodeId) => boolean;
  readonly departing: ReadonlyMap<NodeId, Departure>;
  /** For how long nothing was heard of a machine, in milliseconds. */
  readonly absentMs: (node: NodeId) => number;
  readonly timing: { readonly voterSettleMs: number; readonly voterStableMs: number };
}

/** A new voter must be a learner within this many entries first (Autopilot's number). */
export const voterLagMax = 250;

/** Five voters only where so many machines are steady: below that, two more disks cost more than they carry. */
const machinesForFive = 7;

/** The rank of a seat given to a machine of which nothing else is known. */
export const newSeatRank = 100;

/**
 * Which machines should vote, or null when those that do are right or cannot be bettered yet
 * (docs/protocols/membership.md). One voter below three machines, three from three on, five with seven steady ones; never an even number,
 * because then one more machine would have to be up for nothing.
 *
 * A seat whose machine left the swarm, lost its state directory or says that it is going is given up at once, to a
 * machine that has settled. A seat whose machine is merely silent is given up only when it has been silent for
 * `voterStableMs` and somebody has been steady for as long.
 */
export function chooseVoters(choice: VoterChoice): readonly Seat[] | null {
  const { seats, timing } = choice;
  const staying = seats.filter((seat) => stays(choice, seat));
  const pool = learners(choice, staying);
  const settled = pool.filter(({ steadyMs }) => steadyMs >= timing.voterSettleMs);
  const steady = settled.filter(({ steadyMs }) => steadyMs >= timing.voterStableMs);
  const size = wantedSize(choice, staying, settled, steady);
  const chosen =
    seats.length === 1 && staying.length === 0
      ? movedVote(pool)
      : sized(choice, size, staying, (size > 3 ? steady : settled).map(seatOf));
  // A machine that is heard and has not settled may yet fill the seat: one change instead of two.
  const worthWaiting = chosen.length < seats.length && staying.length + pool.length >= seats.length;
  if (chosen.length === 0 || worthWaiting) return null;
  const better = sameSeats(chosen, seats) ? withoutSilentSeats(choice, chosen, steady) : chosen;
  return better !== null && canBegin(choice, better) ? better : null;
}

/** Heard, close enough to the end of the log and free to take a seat; the best first. */
function learners(choice: VoterChoice, staying: readonly Seat[]): Candidate[] {
  return choice.candidates
    .filter(({ node, lag }) => {
      const fit = lag <= voterLagMax && choice.isMember(node);
      return fit && !choice.departing.has(node) && !staying.some((seat) => seat.node === node);
    })
    .sort((left, right) => right.rank - left.rank || compareText(left.node, right.node));
}

function stays({ candidates, isMember, departing, seats }: VoterChoice, { node, incarnation, rank }: Seat): boolean {
  const present = candidates.find((candidate) => candidate.node === node);
  if (!isMember(node) || (present?.incarnation ?? incarnation) !== incarnation) return false;
  const departure = departing.get(node);
  if (departure === undefined) return true;
  // A single vote does not roam: it leaves a sleeping machine only for one that is better at staying up.
  const better = candidates.some((other) => other.node !== node && other.lag <= voterLagMax && other.rank > rank);
  return seats.length === 1 && departure !== 'leave' && !better;
}

function wantedSize(
  { seats, candidates, timing }: VoterChoice,
  staying: readonly Seat[],
  settled: readonly Candidate[],
  steady: readonly Candidate[],
): number {
  const steadyMachines = candidates.filter(({ steadyMs }) => steadyMs >= timing.voterStableMs).length;
  const five = seats.length === 5 || steadyMachines >= machinesForFive;
  if (five && staying.length + steady.length >= 5) return 5;
  return staying.length + settled.length >= 3 ? 3 : 1;
}

/**
 * The first `size` seats, staying ones before new ones. Among those that stay the coordinator comes first, then
 * machines that are heard: whoever is left as the only voter must have the log.
 */
function sized(choice: VoterChoice, size: number, staying: readonly Seat[], joining: readonly Seat[]): readonly Seat[] {
  const order = (seat: Seat): number => (seat.node === choice.self ? 0 : isHeard(choice, seat) ? 1 : 2);
  const sorted = [...staying].sort(
    (left, right) => order(left) - order(right) || right.rank - left.rank || compareText(left.node, right.node),
  );
  return [...sorted, ...joining].slice(0, size);
}

const isHeard = ({ candidates }: VoterChoice, { node }: Seat): boolean =>
  candidates.some((candidate) => candidate.node === node && candidate.lag <= voterLagMax);

/** The next configuration begins only where a majority of it already holds the log. */
const canBegin = (choice: VoterChoice, chosen: readonly Seat[]): boolean =>
  chosen.filter((seat) => isHeard(choice, seat)).length >= majority(chosen.length);

/** The only voter goes: the vote needs another place, and three at once where three are ready. */
function movedVote(pool: readonly Candidate[]): readonly Seat[] {
  return pool.slice(0, pool.length >= 3 ? 3 : 1).map(seatOf);
}

/** Puts machines that have long been steady into the place of voters that have long been silent. */
function withoutSilentSeats(
  { self, absentMs, timing }: VoterChoice,
  seats: readonly Seat[],
  steady: readonly Candidate[],
): readonly Seat[] | null {
  const spare = steady.map(seatOf);
  let changed = false;
  const chosen = seats.map((seat) => {
    if (seat.node === self || absentMs(seat.node) < timing.voterStableMs) return seat;
    const next = spare.shift();
    if (next !== undefined) changed = true;
    return next ?? seat;
  });
  return changed ? chosen : null;
}

const seatOf = ({ node, incarnation, rank }: Candidate): Seat => ({ node, incarnation, rank });

function sameSeats(left: readonly Seat[], right: readonly Seat[]): boolean {
  return (
    left.length === right.length &&
    left.every((seat) => right.some((other) => other.node === seat.node && other.incarnation === seat.incarnation))
  );
}
