import { compareText, type NodeId } from '../../../shared/domain/ids.ts';
import { rankPerBand } from '../ranks/rank-table.ts';
import type { Candidate, Seat, VoterChoice } from './voter-choice.ts';

/** A machine stands clearly above another one by this many bands. */
export const clearBands = 2;

/** Of the hours in which a machine is awake, so many make another one that is awake with it as good a place. */
const mostly = 0.75;

/** Of its own hours a machine counts so many where it compares itself: it alone has met itself in all of them. */
const ownPart = 0.9;

type Ranked = Pick<Seat, 'node' | 'rank'>;

/**
 * Whether a machine that is awake may take the only vote from one that goes to sleep. What owners asked for decides, then a
 * clear difference of rank. Among machines that are much alike it is whoever was awake in three quarters of the hours of
 * the one that goes: where two are mostly awake together, the vote follows the one that stays; where they hardly meet, it
 * would be asleep with the wrong one.
 */
export function inherits(choice: VoterChoice, heir: Candidate, owner: Ranked): boolean {
  if (heir.node === owner.node || heir.pin === 'never') return false;
  const ownerPin = choice.candidates.find(({ node }) => node === owner.node)?.pin ?? 'none';
  if (ownerPin !== heir.pin) return ownerPin === 'never' || heir.pin === 'home-base';
  if (ownerPin === 'home-base') return false;
  const above = heir.rank - owner.rank;
  if (Math.abs(above) >= clearBands * rankPerBand) return above > 0;
  const hours = choice.hoursOf(owner.node);
  return hours > 0 && choice.hoursOf(heir.node) >= mostly * hours;
}

/**
 * The order in which machines are wanted where not all can vote: by rank, then by the hours in which they were met. One that
 * this machine meets practically always is better placed than itself: most likely it is there in other hours, too.
 */
export function byWorth(choice: VoterChoice): (left: Ranked, right: Ranked) => number {
  const hours = (node: NodeId): number => (node === choice.self ? ownPart : 1) * choice.hoursOf(node);
  const own = ({ node }: Ranked): number => (node === choice.self ? 0 : 1);
  return (left, right) =>
    right.rank - left.rank ||
    hours(right.node) - hours(left.node) ||
    own(left) - own(right) ||
    compareText(left.node, right.node);
}
