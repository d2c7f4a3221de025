import { assertNever } from '../../../shared/assert.ts';
import { fail } from '../../../shared/domain/failure.ts';
import type { Failure, Result } from '../../../shared/domain/failure.ts';
import { fencingToken } from '../../../shared/domain/ids.ts';
import type { SessionId } from '../../../shared/domain/ids.ts';
import { sessionNotAlive } from '../locks/sessions.ts';
import { reasonCharsMax, tasksPerCommandMax } from '../machine/limits.ts';
import type { Assignment, AttemptKey, TaskCommand } from '../tasks/commands.ts';
import type { EndedAttempt, TasksChanged } from '../tasks/task-table.ts';
import { applied, endAttemptLocks, endedEvents, refused } from './applied.ts';
import type { Applied, ApplyContext } from './applied.ts';
import type { StateEvent } from './events.ts';

type CommandOf<Type extends TaskCommand['type']> = Extract<TaskCommand, { type: Type }>;

export function applyTaskCommand(context: ApplyContext, command: TaskCommand): Applied {
  const { state, at } = context;
  switch (command.type) {
    case 'job-submitted':
      return submit(context, command);
    case 'tasks-assigned':
      return assign(context, command);
    case 'attempts-progressed':
      return progress(context, command);
    case 'attempts-finished':
      return finish(context, command);
    case 'tasks-cancelled': {
      const because = command.reason === '' ? '' : `: ${command.reason}`;
      const reason = shortened(`cancelled by ${command.by}${because}`);
      return changed(context, state.tasks.cancel(command.job, command.indices, reason, at));
    }
    case 'tasks-retried':
      return changed(context, state.tasks.retry(command.job, command.indices, shortened(command.by), at));
    default:
      return assertNever(command);
  }
}

function submit({ state, at }: ApplyContext, command: CommandOf<'job-submitted'>): Applied {
  const submitted = state.tasks.submit(command, at);
  if (!submitted.ok) return refused(submitted.failure);
  const { job, removed } = submitted.value;
  return applied({ type: 'job-accepted', job }, [
    ...removed.map((gone): StateEvent => ({ type: 'job-removed', job: gone })),
    { type: 'job-submitted', job, submitter: command.submitter },
  ]);
}

/** Checks each assignment on its own: the coordinator decided on a state that may have moved on since. */
function assign(context: ApplyContext, { assignments }: CommandOf<'tasks-assigned'>): Applied {
  const problem = checkCount(assignments.length);
  if (problem !== null) return refused(problem);
  const { state, slot, at } = context;
  const events: StateEvent[] = [];
  for (const assignment of assignments) {
    const bounded = { ...assignment, reason: shortened(assignment.reason) };
    const live = state.tasks.assign(bounded, slotsFreeFor(context, assignment), fencingToken(slot), at);
    if (live === null) continue;
    const { key, node, session, submitter } = live;
    events.push({ type: 'attempt-assigned', key, node, session, submitter });
  }
  return applied({ type: 'tasks-changed', count: events.length }, events);
}

/** None on a session that has ended or belongs to another machine than the assignment says. */
function slotsFreeFor({ state }: ApplyContext, { session: id, node }: Assignment): number {
  const session = state.sessions.get(id);
  return session === null || session.node !== node ? 0 : session.capacity.slots - state.tasks.slotsUsedBySession(id);
}

function progress(context: ApplyContext, { session, changes }: CommandOf<'attempts-progressed'>): Applied {
  const problem = checkReport(context, session, changes.length);
  if (problem !== null) return refused(problem);
  const { state, at } = context;
  const events: StateEvent[] = [];
  let count = 0;
  for (const change of changes) {
    if (state.tasks.progress(session, change, at)) count += 1;
    else events.push(...staleEvents(context, session, change));
  }
  return applied({ type: 'tasks-changed', count }, events);
}

/**
 * Accepts each result at most once (invariant T2): the token says whether it is the task's live attempt.
 * The late results of a session that has ended are all stale; they are refused and still counted, so that people see them.
 */
function finish(context: ApplyContext, { session, results }: CommandOf<'attempts-finished'>): Applied {
  const problem = checkCount(results.length);
  if (problem !== null) return refused(problem);
  const ended: EndedAttempt[] = [];
  const stale: StateEvent[] = [];
  for (const result of results) {
    const over = context.state.tasks.finish(session, result, context.at);
    if (over === null) stale.push(...staleEvents(context, session, result));
    else ended.push(over);
  }
  const events = [...endedEvents(ended), ...stale, ...endAttemptLocks(context, ended, 'itself')];
  if (context.state.sessions.get(session) !== null)
    return applied({ type: 'tasks-changed', count: ended.length }, events);
  return { ...refused(sessionNotAlive(session).failure), events };
}

/** Nobody is told about a job that is no longer there. */
function staleEvents({ state }: ApplyContext, session: SessionId, key: AttemptKey): readonly StateEvent[] {
  const job = state.tasks.job(key.job);
  if (job === null) return [];
  const task = state.tasks.task(key.job, key.index);
  const now =
    task === null
      ? 'the job has no such task'
      : `the task is ${task.state}, its latest attempt is ${task.attemptCount}`;
  const reason = `token ${key.token} of attempt ${key.attempt} is not the live one: ${now}`;
  const { job: id, index, attempt, token } = key;
  return [
    { type: 'result-refused', key: { job: id, index, attempt, token }, session, submitter: job.submitter, reason },
  ];
}

function changed(context: ApplyContext, outcome: Result<TasksChanged>): Applied {
  if (!outcome.ok) return refused(outcome.failure);
  const { count, ended } = outcome.value;
  return applied({ type: 'tasks-changed', count }, [
    ...endedEvents(ended),
    ...endAttemptLocks(context, ended, 'others'),
  ]);
}

function checkReport({ state }: ApplyContext, session: SessionId, count: number): Failure | null {
  return state.sessions.get(session) === null ? sessionNotAlive(session).failure : checkCount(count);
}

const checkCount = (count: number): Failure | null =>
  count <= tasksPerCommandMax
    ? null
    : fail(
        'limit-reached',
        `${count} tasks in one entry; ${tasksPerCommandMax} is the most`,
        'Send them in several requests.',
      ).failure;

const shortened = (text: string): string =>
  text.length <= reasonCharsMax ? text : `${text.slice(0, reasonCharsMax - 1)}…`;
