import { compareText } from '../../../shared/domain/ids.ts';
import { rankPerBand, topBand } from '../ranks/rank-table.ts';
import type { Candidate, VoterChoice } from './voter-choice.ts';
import { clearBands } from './worth.ts';

/**
 * The machine on which the vote may rest alone, or null: among those that are `fit`, one that is expected to stay
 * awake. A person says so (`home-base`), or the evidence of days does: of the top band, and clearly above all
 * others. Where several are pinned, one that votes already is preferred, so that the vote does not roam.
 */
export function anchorOf(choice: VoterChoice, fit: readonly Candidate[]): Candidate | null {
  const { seats, timing } = choice;
  // A seat of another state directory than the present one is nobody's.
  const able = fit.filter(({ node, incarnation, pin }) => {
    const seat = seats.find((each) => each.node === node);
    return pin !== 'never' && (seat === undefined || seat.incarnation === incarnation);
  });
  const votes = ({ node }: Candidate): number => (seats.some((seat) => seat.node === node) ? 0 : 1);
  const [pinned] = able
    .filter(({ pin, steadyMs }) => pin === 'home-base' && steadyMs >= timing.voterSilentMs)
    .sort((left, right) => votes(left) - votes(right) || compareText(left.node, right.node));
  if (pinned !== undefined) return pinned;
  const proven = able.find((candidate) => candidate.steadyMs >= timing.voterStableMs && standsOut(choice, candidate));
  return proven ?? null;
}

/** Silent voters count with the rank that they are known by. */
function standsOut({ candidates, seats }: VoterChoice, { node, rank }: Candidate): boolean {
  const others = [...candidates, ...seats.filter((seat) => !candidates.some((other) => other.node === seat.node))];
  const next = Math.max(0, ...others.filter((other) => other.node !== node).map((other) => other.rank));
  return rank >= topBand * rankPerBand && rank >= next + clearBands * rankPerBand;
}
