import type { RankCommand } from '../ranks/commands.ts';
import { doneWith, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';

export function applyRankCommand({ state, at }: ApplyContext, command: RankCommand): Applied {
  if (command.type === 'rank-pinned') {
    const { node, pin, by } = command;
    if (state.ranks.pin(node, pin)) return doneWith([{ type: 'rank-pinned', node, pin, by }]);
    return refused({ code: 'limit-reached', message: `no more machines can be given a rank, ${node} among them` });
  }
  const moved = state.ranks.move(command.moves, at);
  return doneWith(moved.length === 0 ? [] : [{ type: 'ranks-changed', moves: moved }]);
}
