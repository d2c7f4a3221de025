import { slot, type NodeId } from '../../../shared/domain/ids.ts';
import { supportedLevel } from '../levels/feature-levels.ts';
import type { Snapshot } from '../paxos/facts.ts';
import { newChain } from '../paxos/log-chain.ts';
import { takeSnapshot } from '../state-machine/snapshot.ts';
import { createState } from '../state-machine/state.ts';

/** The snapshot a founder starts from: nothing has happened, it is the only voter, and its program the only one. */
export function foundingSnapshot(
  self: { readonly node: NodeId; readonly incarnation: string },
  rank: number,
  level = supportedLevel,
): Snapshot {
  const state = createState();
  state.levels.begin(level);
  return {
    slot: slot(0),
    config: { epoch: 0, id: 1, firstSlot: slot(1), voters: [{ ...self, rank }], cuts: [] },
    state: takeSnapshot(state),
    chain: newChain(slot(0)),
  };
}
