import type { KvCommand } from '../kv/commands.ts';
import type { KvChange } from '../kv/records.ts';
import { applied, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';
import type { StateEvent } from './events.ts';

export function applyKvCommand({ state, slot, at }: ApplyContext, command: KvCommand): Applied {
  const outcome = state.kv.transact(
    command,
    { slot, at },
    {
      isSessionAlive: (session) => state.sessions.get(session) !== null,
      isLockHeld: (name, token) => state.locks.isHeldWith(name, token),
    },
  );
  if (!outcome.ok) return refused(outcome.failure);
  const { succeeded, answers, changes } = outcome.value;
  return applied({ type: 'kv-transacted', revision: slot, succeeded, answers }, kvEvents(changes));
}

export const kvEvents = (changes: readonly KvChange[]): readonly StateEvent[] =>
  changes.length === 0 ? [] : [{ type: 'kv-changed', changes }];
