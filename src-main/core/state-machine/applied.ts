import type { Failure } from '../../../shared/domain/failure.ts';
import type { Slot, WallTime } from '../../../shared/domain/ids.ts';
import type { LockChange } from '../locks/records.ts';
import type { CommandResult } from './command.ts';
import type { StateEvent } from './events.ts';
import type { SwarmState } from './state.ts';
import { attemptOwner } from '../tasks/job.ts';
import type { EndedAttempt } from '../tasks/task-table.ts';

/** What an entry changed. A request that was answered before changes nothing and answers the same again. */
export interface Applied {
  readonly result: CommandResult;
  readonly events: readonly StateEvent[];
}

/** The state to change, the entry's place, and the proposer's wall clock for people. */
export interface ApplyContext {
  readonly state: SwarmState;
  readonly slot: Slot;
  readonly at: WallTime;
}

const noEvents: readonly StateEvent[] = [];
const done: CommandResult = { type: 'done' };

export const applied = (result: CommandResult, events: readonly StateEvent[] = noEvents): Applied => ({
  result,
  events,
});

export const doneWith = (events: readonly StateEvent[] = noEvents): Applied => ({ result: done, events });

export const refused = ({ code, message, hint }: Failure): Applied => ({
  result: { type: 'refused', failure: hint === undefined ? { code, message } : { code, message, hint } },
  events: noEvents,
});

export const lockEvents = (changes: readonly LockChange[]): readonly StateEvent[] =>
  changes.map((change): StateEvent => {
    const { name } = change;
    const { session, owner, token, mode } = change.holder;
    switch (change.type) {
      case 'granted':
        return { type: 'lock-granted', name, session, owner, token, mode };
      case 'downgraded':
        return { type: 'lock-downgraded', name, session, owner, token };
      case 'ended':
        return { type: 'lock-ended', name, session, owner, token, cause: change.cause, delayMs: change.delayMs };
    }
  });

export const endedEvents = (ended: readonly EndedAttempt[]): readonly StateEvent[] =>
  ended.map(({ attempt: { key, node, session, submitter }, state }): StateEvent => ({
    type: 'attempt-ended',
    key,
    node,
    session,
    submitter,
    state,
  }));

/**
 * Ends the locks of attempts that ended in this entry, all in one call: see `LockTable.endOwners`. An attempt that
 * reported its own end has no process any more; one that was ended by others may run until its machine hears of it.
 */
export function endAttemptLocks(
  { state, slot, at }: ApplyContext,
  ended: readonly EndedAttempt[],
  by: 'itself' | 'others',
): readonly StateEvent[] {
  const owners = ended.map(({ attempt: { session, key } }) => ({
    session,
    owner: attemptOwner(key.job, key.index, key.attempt),
  }));
  return lockEvents(state.locks.endOwners(owners, by === 'others', { slot, at }));
}
