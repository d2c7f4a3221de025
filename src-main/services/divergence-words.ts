import { fail, type Failure } from '../../shared/domain/failure.ts';
import type { NodeId, Slot } from '../../shared/domain/ids.ts';
import { entriesPerCheckpoint } from '../core/machine/limits.ts';
import type { Divergence } from '../core/node/checkpoints.ts';

const what = ({ which }: Divergence): string => (which === 'log' ? 'log' : 'state');

/** One sentence, without its full stop. */
export function divergenceText(divergence: Divergence, name: (node: NodeId) => string): string {
  const { node, slot, settled } = divergence;
  const where = `at slot ${slot}`;
  return settled
    ? `${name(node)} has another ${what(divergence)} than the others ${where}`
    : `${name(node)} and another machine differ in their ${what(divergence)} ${where}`;
}

/** Comparisons for which a divergence is shown: a machine that differs is found again at each of them. */
const comparisonsShown = 3;

export const isRecent = ({ slot }: Divergence, committed: Slot): boolean =>
  slot > committed - comparisonsShown * entriesPerCheckpoint;

/** What follows from it. */
export const divergenceReason = ({ settled }: Divergence): string =>
  settled
    ? 'a majority agrees, so it puts its own record aside and learns from the others'
    : 'there is no third copy to tell who is right; both go on and nothing is thrown away';

/** Why a machine must not go on with what it has. */
export const divergenceFailure = (divergence: Divergence): Failure =>
  fail(
    'corrupt',
    divergenceText(divergence, () => 'this machine'),
    'It puts its record aside and learns from the others by itself. Check its memory and its disk.',
  ).failure;
