import type { NodeId } from '../../../shared/domain/ids.ts';
import { majority } from '../machine/quorum.ts';
import type { RankPin } from '../ranks/rank-table.ts';
import { anchorOf } from './anchor.ts';
import { byWorth, inherits } from './worth.ts';

/** Why a machine is about to go: for good, or until it wakes or is started again. */
export type Departure = 'leave' | 'shutdown' | 'suspend';

/** A machine that is heard now: it could sit among the voters. */
export interface Candidate {
  readonly node: NodeId;
  readonly incarnation: string;
  readonly rank: number;
  /** What people ask of it. */
  readonly pin: RankPin;
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
  /** In how many hours of the last weeks this machine, itself awake, met another; of itself, was awake. 0 for unknown. */
  readonly hoursOf: (node: NodeId) => number;
  readonly timing: {
    readonly voterSettleMs: number;
    readonly voterSilentMs: number;
    readonly voterStableMs: number;
  };
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
 * machine that has settled. A seat whose machine is merely silent is given up when somebody has been steady for
 * `voterStableMs` to take it: after as long a silence, or after `voterSilentMs` where one more silence would stop
 * everything. Where nobody is, the voters shrink to the anchor, if there is one.
 */
export function chooseVoters(choice: VoterChoice): readonly Seat[] | null {
  const { seats, timing } = choice;
  const staying = seats.filter((seat) => stays(choice, seat));
  const pool = learners(choice, staying);
  const anchor = anchorOf(
    choice,
    choice.candidates.filter((candidate) => isFit(choice, candidate)),
  );
  // Where the anchor votes alone nothing is in danger, and machines that come and go need not be voters.
  const patienceMs = isAlone(anchor, seats) ? timing.voterStableMs : timing.voterSettleMs;
  const settled = pool.filter(({ steadyMs }) => steadyMs >= patienceMs);
  const steady = settled.filter(({ steadyMs }) => steadyMs >= timing.voterStableMs);
  const size = wantedSize(choice, staying, settled, steady);
  const chosen =
    seats.length === 1 && staying.length === 0
      ? movedVote(choice, pool)
      : sized(choice, { size, anchor, staying, joining: (size > 3 ? steady : settled).map(seatOf) });
  // A machine that is heard and has not settled may yet fill the seat: one change instead of two.
  const worthWaiting = chosen.length < seats.length && staying.length + pool.length >= seats.length;
  if (chosen.length === 0 || worthWaiting) return null;
  const better = sameSeats(chosen, seats) ? bettered(choice, steady, anchor) : chosen;
  return better !== null && canBegin(choice, better) ? better : null;
}

/** The number of voters is right and nobody says that it goes: still some may be the wrong ones, or in danger. */
function bettered(choice: VoterChoice, steady: readonly Candidate[], anchor: Candidate | null): readonly Seat[] | null {
  return withoutSilentSeats(choice, steady) ?? shrunk(choice, anchor) ?? withAnchor(choice, steady, anchor);
}

/** A member that is close enough to the end of the log and does not say that it goes. */
const isFit = ({ isMember, departing }: VoterChoice, { node, lag }: Candidate): boolean =>
  lag <= voterLagMax && isMember(node) && !departing.has(node);

/** Fit and free to take a seat; the best first. */
function learners(choice: VoterChoice, staying: readonly Seat[]): Candidate[] {
  return choice.candidates
    .filter((candidate) => isFit(choice, candidate) && !staying.some((seat) => seat.node === candidate.node))
    .sort(byWorth(choice));
}

function stays(choice: VoterChoice, { node, incarnation, rank }: Seat): boolean {
  const { candidates, isMember, departing, seats } = choice;
  const present = candidates.find((candidate) => candidate.node === node);
  if (!isMember(node) || (present?.incarnation ?? incarnation) !== incarnation) return false;
  const departure = departing.get(node);
  if (departure === undefined) return true;
  const alone = seats.length === 1 && departure !== 'leave';
  return alone && !candidates.some((other) => isFit(choice, other) && inherits(choice, other, { node, rank }));
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

interface Sizing {
  readonly size: number;
  readonly anchor: Candidate | null;
  readonly staying: readonly Seat[];
  readonly joining: readonly Seat[];
}

/**
 * The first `size` seats, staying ones before new ones. Among those that stay the anchor comes first, then machines that
 * are heard: whoever is left as the only voter must have the log.
 */
function sized(choice: VoterChoice, { size, anchor, staying, joining }: Sizing): readonly Seat[] {
  if (size === 1 && choice.seats.length > 1 && anchor !== null) return [seatOf(anchor)];
  const order = ({ node }: Seat): number => {
    const heard = heardAs(choice, node);
    if (heard === undefined) return 4;
    if (node === anchor?.node) return 0;
    // With others beside it the coordinator need not change; who votes alone should be the best placed.
    return heard.pin === 'never' ? 3 : node === choice.self && size > 1 ? 1 : 2;
  };
  const sorted = [...staying].sort((left, right) => order(left) - order(right) || byWorth(choice)(left, right));
  return [...sorted, ...joining].slice(0, size);
}

/** As a candidate that has the log; undefined for a machine that is silent or lags. */
const heardAs = ({ candidates }: VoterChoice, node: NodeId): Candidate | undefined =>
  candidates.find((candidate) => candidate.node === node && candidate.lag <= voterLagMax);

const isHeard = (choice: VoterChoice, { node }: Seat): boolean => heardAs(choice, node) !== undefined;

/** The next configuration begins only where a majority of it already holds the log. */
const canBegin = (choice: VoterChoice, chosen: readonly Seat[]): boolean =>
  chosen.filter((seat) => isHeard(choice, seat)).length >= majority(chosen.length);

/** The only voter goes: the vote needs another place, and three at once where three are ready. */
function movedVote(choice: VoterChoice, pool: readonly Candidate[]): readonly Seat[] {
  if (pool.length >= 3) return pool.slice(0, 3).map(seatOf);
  const heir = pool.find((candidate) => choice.seats.some((owner) => inherits(choice, candidate, owner)));
  return [heir ?? pool[0]].flatMap((one) => (one === undefined ? [] : [seatOf(one)]));
}

const silentFor = ({ self, seats, absentMs }: VoterChoice, forMs: number): readonly Seat[] =>
  seats.filter(({ node }) => node !== self && absentMs(node) >= forMs);

/** So many voters are silent that one more would leave no quorum. */
const isEndangered = (choice: VoterChoice): boolean =>
  choice.seats.length - silentFor(choice, choice.timing.voterSilentMs).length <= majority(choice.seats.length);

/** Puts machines that have long been steady into the place of voters that have been silent for too long. */
function withoutSilentSeats(choice: VoterChoice, steady: readonly Candidate[]): readonly Seat[] | null {
  const { seats, timing } = choice;
  const silent = silentFor(choice, isEndangered(choice) ? timing.voterSilentMs : timing.voterStableMs);
  const spare = steady.map(seatOf);
  const chosen = seats.map((seat) => (silent.includes(seat) ? (spare.shift() ?? seat) : seat));
  return sameSeats(chosen, seats) ? null : chosen;
}

/**
 * Fewer voters while there is still a quorum to say so, and nobody to take the silent ones' seats. Five become the three
 * that are heard. Three become one only where that one is the anchor: two that must both stay awake are worse than it
 * alone, but a vote alone on a machine that goes to sleep next would be worse still.
 */
function shrunk(choice: VoterChoice, anchor: Candidate | null): readonly Seat[] | null {
  const { seats } = choice;
  if (seats.length < 3 || !isEndangered(choice)) return null;
  const heard = seats.filter((seat) => isHeard(choice, seat));
  if (seats.length === 5) return heard.length === 3 ? heard : null;
  const alone = heard.find(({ node }) => node === anchor?.node);
  return alone === undefined ? null : [alone];
}

/** The anchor gets a seat once it has been steady for long: the only one, or that of the voter that is wanted least. */
function withAnchor(
  choice: VoterChoice,
  steady: readonly Candidate[],
  anchor: Candidate | null,
): readonly Seat[] | null {
  const { self, seats } = choice;
  const [only] = seats;
  const unwanted = only !== undefined && seats.length === 1 && heardAs(choice, only.node)?.pin === 'never';
  const better = steady.find(({ node, pin }) => (anchor === null ? unwanted && pin !== 'never' : node === anchor.node));
  if (better === undefined) return null;
  if (seats.length === 1) return [seatOf(better)];
  const order = (seat: Seat): number => (isHeard(choice, seat) ? (heardAs(choice, seat.node)?.rank ?? 0) + 1 : 0);
  const [least] = seats.filter(({ node }) => node !== self).sort((left, right) => order(left) - order(right));
  return seats.map((seat) => (seat === least ? seatOf(better) : seat));
}

const isAlone = (anchor: Candidate | null, seats: readonly Seat[]): boolean =>
  seats.length === 1 && anchor !== null && seats[0]?.node === anchor.node;

const seatOf = ({ node, incarnation, rank }: Candidate): Seat => ({ node, incarnation, rank });

function sameSeats(left: readonly Seat[], right: readonly Seat[]): boolean {
  return (
    left.length === right.length &&
    left.every((seat) => right.some((other) => other.node === seat.node && other.incarnation === seat.incarnation))
  );
}
