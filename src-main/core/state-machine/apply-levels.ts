import type { LevelCommand } from '../levels/commands.ts';
import { doneWith, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';

/** What was logged before this entry wins: a machine may have opened a session with an older program meanwhile. */
export function applyLevelCommand({ state }: ApplyContext, { level }: LevelCommand): Applied {
  const raised = state.levels.raise(
    level,
    state.sessions.list().map(({ node }) => node),
  );
  if (!raised.ok) return refused(raised.failure);
  return doneWith(raised.value ? [{ type: 'level-raised', level }] : []);
}
