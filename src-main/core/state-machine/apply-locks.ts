import { assertNever } from '../../../shared/assert.ts';
import { fail } from '../../../shared/domain/failure.ts';
import type { Failure, Result } from '../../../shared/domain/failure.ts';
import { jobId } from '../../../shared/domain/ids.ts';
import type { LockName, SessionId } from '../../../shared/domain/ids.ts';
import type { LockCommand } from '../locks/commands.ts';
import { wishProblem } from '../locks/lock-rules.ts';
import type { LockRequest } from '../locks/lock-table.ts';
import type { LockChange } from '../locks/records.ts';
import { sessionNotAlive } from '../locks/sessions.ts';
import { lockDelayDefaultMs, reasonCharsMax } from '../machine/limits.ts';
import { attemptOwner } from '../tasks/job.ts';
import { applied, doneWith, lockEvents, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';

type CommandOf<Type extends LockCommand['type']> = Extract<LockCommand, { type: Type }>;

const lockNameCharsMax = 200;
const hasControlCharacter = (text: string): boolean => [...text].some((sign) => sign < ' ' || sign === '\u007f');

export function applyLockCommand(context: ApplyContext, command: LockCommand): Applied {
  const { state, slot, at } = context;
  const moment = { slot, at };
  if (command.type === 'lock-force-released') {
    const remark = `by ${command.by}: ${command.reason}`.slice(0, reasonCharsMax);
    return answered(state.locks.forceRelease(command.name, command.expectedToken, remark, moment));
  }
  if (command.type === 'lock-delay-ended') return endDelay(context, command);
  const session = state.sessions.get(command.session);
  if (session === null) return refused(sessionNotAlive(command.session).failure);
  switch (command.type) {
    case 'lock-requested': {
      const { name, wait } = command;
      const wishes = [{ name, mode: { type: 'exclusive' } }] as const;
      return request(context, command, { wishes, wait, delayMs: lockDelayDefaultMs, keeps: false });
    }
    case 'locks-requested':
      return request(context, command, command);
    case 'lock-abandoned':
      return doneWith(lockEvents(state.locks.abandon(command.name, command.session, command.owner, moment)));
    case 'lock-released':
      return answered(state.locks.release(command.name, command.session, command.token, moment));
    case 'locks-released': {
      const by = { session: session.id, node: session.node, owner: command.owner };
      return answered(state.locks.releaseAll(command.names, by, command.token, moment));
    }
    case 'lock-downgraded':
      return answered(state.locks.downgrade(command.name, command, command.token, moment));
    default:
      return assertNever(command);
  }
}

const answered = (changes: Result<readonly LockChange[]>): Applied =>
  changes.ok ? doneWith(lockEvents(changes.value)) : refused(changes.failure);

function endDelay({ state, slot, at }: ApplyContext, { name, since }: CommandOf<'lock-delay-ended'>): Applied {
  const ended = state.locks.endDelay(name, since, { slot, at });
  if (!ended.ok) return refused(ended.failure);
  return doneWith([{ type: 'lock-delay-ended', name, since }, ...lockEvents(ended.value)]);
}

function request(
  context: ApplyContext,
  command: CommandOf<'lock-requested' | 'locks-requested'>,
  terms: Pick<LockRequest, 'wishes' | 'wait' | 'delayMs' | 'keeps'>,
): Applied {
  const { state, slot, at } = context;
  const { session, owner, label } = command;
  const node = state.sessions.get(session)?.node;
  if (node === undefined) return refused(sessionNotAlive(session).failure);
  const problem =
    wishProblem(terms.wishes, terms.delayMs) ??
    terms.wishes.map(({ name }) => checkName(name)).find((each) => each !== null) ??
    checkText(owner, 'owner') ??
    checkText(label, 'label') ??
    checkOwner(context, command);
  if (problem !== null) return refused(problem);
  const { wishes, wait, delayMs, keeps } = terms;
  const claim = { session, node, owner, label };
  const answer = state.locks.requestAll({ claim, wishes, wait, delayMs, keeps }, { slot, at });
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
