import { assertNever } from '../../../shared/assert.ts';
import type { Slot } from '../../../shared/domain/ids.ts';
import type { Applied, ApplyContext } from './applied.ts';
import { applyKvCommand } from './apply-kv.ts';
import { applyLevelCommand } from './apply-levels.ts';
import { applyLockCommand } from './apply-locks.ts';
import { applyRankCommand } from './apply-ranks.ts';
import { applySessionCommand } from './apply-sessions.ts';
import { applyTaskCommand } from './apply-tasks.ts';
import type { Command, LoggedRequest } from './command.ts';
import type { SwarmState } from './state.ts';

/**
 * What a chosen request does. Total and deterministic: the same state and the same entry give the same result and
 * events on every node. A command that does not fit is refused and changes nothing. Slots must only grow.
 */
export function apply(state: SwarmState, slot: Slot, logged: LoggedRequest): Applied {
  const { request, at } = logged;
  // The coordinator's own commands are conditional in themselves: repeating one is harmless, so they need no name.
  if (request.sequence === 0) return applyCommand({ state, slot, at }, request.command);
  const known = state.clients.answerFor(request, slot);
  if (known !== null) return { result: known, events: [] };
  const applied = applyCommand({ state, slot, at }, request.command);
  state.clients.remember(request, applied.result);
  return applied;
}

function applyCommand(context: ApplyContext, command: Command): Applied {
  switch (command.type) {
    case 'session-opened':
    case 'session-renewed':
    case 'session-expired':
    case 'session-closed':
    case 'capacity-changed':
      return applySessionCommand(context, command);
    case 'level-raised':
      return applyLevelCommand(context, command);
    case 'lock-requested':
    case 'locks-requested':
    case 'lock-abandoned':
    case 'lock-released':
    case 'locks-released':
    case 'lock-downgraded':
    case 'lock-force-released':
    case 'lock-delay-ended':
      return applyLockCommand(context, command);
    case 'kv-transacted':
      return applyKvCommand(context, command);
    case 'ranks-changed':
    case 'rank-pinned':
      return applyRankCommand(context, command);
    case 'job-submitted':
    case 'tasks-assigned':
    case 'attempts-progressed':
    case 'attempts-finished':
    case 'tasks-cancelled':
    case 'tasks-retried':
      return applyTaskCommand(context, command);
    default:
      return assertNever(command);
  }
}
