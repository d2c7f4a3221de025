import { assertNever } from '../../../shared/assert.ts';
import { fail } from '../../../shared/domain/failure.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import { jobId } from '../../../shared/domain/ids.ts';
import type { LockName, SessionId } from '../../../shared/domain/ids.ts';
import type { LockCommand } from '../locks/commands.ts';
import { sessionNotAlive } from '../locks/sessions.ts';
import { reasonCharsMax } from '../machine/limits.ts';
import { attemptOwner } from '../tasks/job.ts';
import { applied, doneWith, lockEvents, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';

const lockNameCharsMax = 200;
const hasControlCharacter = (text: string): boolean => [...text].some((sign) => sign < ' ' || sign === '\u007f');

export function applyLockCommand(context: ApplyContext, command: LockCommand): Applied {
  const { state, slot, at } = context;
  const moment = { slot, at };
  if (command.type === 'lock-force-released') {
    const ended = state.locks.forceRelease(command.name, command.expectedToken, moment);
    return ended.ok ? doneWith(lockEvents(ended.value)) : refused(ended.failure);
  }
  if (state.sessions.get(command.session) === null) return refused(sessionNotAlive(command.session).failure);
  switch (command.type) {
    case 'lock-requested':
      return request(context, command);
    case 'lock-abandoned':
      return doneWith(lockEvents(state.locks.abandon(command.name, command.session, command.owner, moment)));
    case 'lock-released': {
      const ended = state.locks.release(command.name, command.session, command.token, moment);
      return ended.ok ? doneWith(lockEvents(ended.value)) : refused(ended.failure);
    }
    default:
      return assertNever(command);
  }
}

function request(context: ApplyContext, command: Extract<LockCommand, { type: 'lock-requested' }>): Applied {
  const { state, slot, at } = context;
  const { name, session, owner, label, wait } = command;
  const problem =
    checkName(name) ?? checkText(owner, 'owner') ?? checkText(label, 'label') ?? checkOwner(context, command);
  if (problem !== null) return refused(problem);
  const node = state.sessions.get(session)?.node;
  if (node === undefined) return refused(sessionNotAlive(session).failure);
  const answer = state.locks.request(name, { session, node, owner, label }, wait, { slot, at });
  if (!answer.ok) return refused(answer.failure);
  const { value } = answer;
  return value.type === 'waiting'
    ? applied({ type: 'lock-waiting', position: value.position })
    : applied({ type: 'lock-granted', token: value.token }, lockEvents(value.changes));
}

/** An attempt that is over must not take a lock: nothing would end it before its session does. */
function checkOwner(
  { state }: ApplyContext,
  { session, owner }: { session: SessionId; owner: string },
): Failure | null {
  if (!owner.startsWith('attempt:')) return null;
  const match = /^attempt:(\d{1,15})\.(\d{1,15})#(\d{1,15})$/.exec(owner) ?? [];
  const [job, index, attempt] = [jobId(Number(match[1])), Number(match[2]), Number(match[3])];
  // The text must be the very one that ends with the attempt: `attempt:01.0#1` would outlive it.
  if (owner === attemptOwner(job, index, attempt) && state.tasks.isLive(session, job, index, attempt)) return null;
  return fail(
    'precondition-failed',
    `${owner} is not running in session ${session}`,
    'Stop it: its result would be refused too.',
  ).failure;
}

function checkName(name: LockName): Failure | null {
  if (name.length >= 1 && name.length <= lockNameCharsMax && !hasControlCharacter(name)) return null;
  return fail(
    'bad-input',
    `a lock name must have 1 to ${lockNameCharsMax} characters, none of them control characters`,
    'Choose another name.',
  ).failure;
}

const checkText = (text: string, what: string): Failure | null =>
  text.length <= reasonCharsMax
    ? null
    : fail(
        'bad-input',
        `the ${what} of a lock request has ${text.length} characters; ${reasonCharsMax} is the most`,
        'Shorten it.',
      ).failure;
