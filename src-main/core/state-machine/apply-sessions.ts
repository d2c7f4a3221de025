import { assertNever } from '../../../shared/assert.ts';
import { fail, type Failure } from '../../../shared/domain/failure.ts';
import type { AcceptPolicy } from '../../../shared/domain/member.ts';
import { lowestLevel } from '../levels/feature-levels.ts';
import { sessionNotAlive } from '../locks/sessions.ts';
import type { Session } from '../locks/sessions.ts';
import { kvEvents } from './apply-kv.ts';
import { doneWith, endedEvents, lockEvents, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';
import type { Capacity, SessionCommand } from './command.ts';
import type { StateEvent } from './events.ts';

export function applySessionCommand(context: ApplyContext, command: SessionCommand): Applied {
  const { sessions } = context.state;
  switch (command.type) {
    case 'session-opened':
      return open(context, command);
    case 'session-renewed': {
      const renewed = sessions.renew(command.session, command.renewal);
      return renewed.ok ? doneWith() : refused(renewed.failure);
    }
    case 'session-expired':
      return expire(context, command);
    case 'session-closed': {
      const ended = sessions.end(command.session);
      if (ended === null) return refused(sessionNotAlive(command.session).failure);
      return doneWith(endSession(context, ended, 'closed'));
    }
    case 'capacity-changed':
      return changeCapacity(context, command);
    default:
      return assertNever(command);
  }
}

function open(context: ApplyContext, command: Extract<SessionCommand, { type: 'session-opened' }>): Applied {
  const { sessions, levels } = context.state;
  const { session: id, node, name, ttlMs, capacity, program } = command;
  if (sessions.get(id)?.node === node) return doneWith();
  const supports = program?.supports ?? lowestLevel;
  // It was on its way when the level was raised; whoever sent it stops when it hears of that.
  if (supports < levels.level) return refused(tooOldFor(levels.level, name, supports));
  const opened = sessions.open({ id, node, name, ttlMs, renewal: 0, openedAt: context.at, capacity });
  if (!opened.ok) return refused(opened.failure);
  levels.note(node, name, program, (other) => sessions.ofNode(other) !== null);
  const ended = opened.value === null ? [] : endSession(context, opened.value, 'replaced');
  return doneWith([...ended, { type: 'session-opened', session: id, node }]);
}

const tooOldFor = (level: number, name: string, supports: number): Failure =>
  fail(
    'unsupported-version',
    `the swarm has moved to level ${level}, and ${name} supports levels up to ${supports}`,
    'Update Skein on that machine.',
  ).failure;

/** A renewal that was logged before this entry wins: then the session was alive after all (invariant L4). */
function expire(context: ApplyContext, command: Extract<SessionCommand, { type: 'session-expired' }>): Applied {
  const { sessions } = context.state;
  const session = sessions.get(command.session);
  if (session === null) return refused(sessionNotAlive(command.session).failure);
  if (session.renewal !== command.renewal) {
    const message = `session ${session.id} was renewed (${session.renewal}) after renewal ${command.renewal}`;
    return refused(fail('precondition-failed', message, 'Measure its time again from that renewal.').failure);
  }
  sessions.end(session.id);
  return doneWith(endSession(context, session, 'expired'));
}

function changeCapacity(
  { state }: ApplyContext,
  command: Extract<SessionCommand, { type: 'capacity-changed' }>,
): Applied {
  const before = state.sessions.get(command.session);
  if (before === null) return refused(sessionNotAlive(command.session).failure);
  state.sessions.setCapacity(command.session, command.capacity);
  if (!isSamePolicy(before.capacity.accepts, command.capacity.accepts)) state.tasks.forgetRejections(before.node);
  return doneWith();
}

/**
 * The session is out of the table already; now everything that hung on it ends. Only a session that was closed has
 * ended its own work: after an expiry, or a crash and a later run, somebody may still be at it.
 */
function endSession(
  { state, slot, at }: ApplyContext,
  session: Session<Capacity>,
  how: 'closed' | 'replaced' | 'expired',
): StateEvent[] {
  const attempts = state.tasks.loseSession(session.id, how === 'closed', at);
  const locks = state.locks.endSession(session.id, how !== 'closed', { slot, at });
  const keys = state.kv.endSession(session.id, session.node, { slot, at });
  return [
    { type: 'session-ended', session: session.id, node: session.node, expired: how === 'expired' },
    ...endedEvents(attempts),
    ...lockEvents(locks),
    ...kvEvents(keys),
  ];
}

function isSamePolicy(left: AcceptPolicy, right: AcceptPolicy): boolean {
  if (left.from !== 'listed' || right.from !== 'listed') return left.from === right.from;
  return (
    left.members.length === right.members.length && left.members.every((member, at) => member === right.members[at])
  );
}
