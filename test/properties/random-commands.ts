import fc from 'fast-check';
import { contentHash, fencingToken, jobId, lockName } from '../../shared/domain/ids.ts';
import type { SessionId } from '../../shared/domain/ids.ts';
import type { AttemptOutcome } from '../../shared/domain/task.ts';
import type { Command } from '../../src-main/core/state-machine/command.ts';
import type { SwarmState } from '../../src-main/core/state-machine/state.ts';
import type { AttemptKey } from '../../src-main/core/tasks/commands.ts';
import { capacity, machine, run, spec } from '../unit/core/state-machine/harness.ts';

const names = ['a', 'b', 'c'] as const;
const small = fc.nat(5);
const outcomes: readonly AttemptOutcome[] = [
  { type: 'exited', exitCode: 0 },
  { type: 'exited', exitCode: 3 },
  { type: 'signalled', signal: 'SIGKILL' },
  { type: 'timed-out' },
  { type: 'cancelled' },
  { type: 'rejected', reason: 'not today' },
  { type: 'broken', reason: 'no input', retryable: true },
  { type: 'broken', reason: 'no program', retryable: false },
];

/** A step that becomes a command only when it meets a state: real keys, sometimes made stale. */
export interface Step {
  readonly kind: number;
  readonly who: number;
  readonly boot: number;
  readonly lock: number;
  readonly job: number;
  readonly index: number;
  readonly choice: number;
  readonly isWrong: boolean;
}

export const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(99),
  who: fc.nat(2),
  boot: fc.integer({ min: 1, max: 3 }),
  lock: fc.nat(2),
  job: fc.integer({ min: 1, max: 4 }),
  index: small,
  choice: fc.nat(7),
  isWrong: fc.boolean(),
});

export const steps = fc.array(step, { minLength: 1, maxLength: 120 });

function keyFrom(state: SwarmState, at: Step): { readonly session: SessionId; readonly key: AttemptKey } {
  const name = names[at.who] ?? 'a';
  const live = state.tasks.runningOn(machine(name));
  const attempt = live[at.index % Math.max(1, live.length)];
  if (attempt === undefined) {
    return {
      session: run(name, at.boot),
      key: { job: jobId(at.job), index: at.index, attempt: 1, token: fencingToken(at.index) },
    };
  }
  const { key, session } = attempt;
  return { session, key: at.isWrong && at.choice < 3 ? { ...key, token: fencingToken(key.token - 1) } : key };
}

export function commandFor(state: SwarmState, at: Step): Command {
  const name = names[at.who] ?? 'a';
  const alive = state.sessions.ofNode(machine(name));
  const session = alive?.id ?? run(name, at.boot);
  const lock = lockName(`l${at.lock}`);
  const owner = `client:${at.index % 2}`;
  const { kind, choice } = at;
  if (kind < 12) {
    return {
      type: 'session-opened',
      session: run(name, at.boot),
      node: machine(name),
      name,
      ttlMs: 20_000,
      capacity: capacity(3),
    };
  }
  if (kind < 16) return { type: 'session-renewed', session, renewal: at.index };
  if (kind < 19) return { type: 'session-expired', session, renewal: at.isWrong ? at.index : (alive?.renewal ?? 0) };
  if (kind < 21) return { type: 'session-closed', session };
  if (kind < 40) return { type: 'lock-requested', name: lock, session, owner, label: '', wait: choice > 1 };
  if (kind < 44) return { type: 'lock-abandoned', name: lock, session, owner };
  if (kind < 54) {
    const holder = state.locks.get(lock)?.holders.at(-1);
    return {
      type: 'lock-released',
      name: lock,
      session: holder?.session ?? session,
      token: holder?.token ?? fencingToken(choice),
    };
  }
  if (kind < 57) {
    const token = state.locks.get(lock)?.holders[0]?.token ?? fencingToken(choice);
    return { type: 'lock-force-released', name: lock, expectedToken: token, by: 'ann', reason: 'stuck' };
  }
  if (kind < 62) {
    const change = { retries: choice % 3, lock: at.isWrong ? lock : null, slots: 1 + (choice % 2) };
    return {
      type: 'job-submitted',
      submitter: machine(name),
      spec: spec(change),
      taskCount: 1 + at.index,
      manifest: contentHash('00'),
    };
  }
  if (kind < 75) {
    const next = (state.tasks.task(jobId(at.job), at.index)?.attemptCount ?? 0) + (at.isWrong && choice === 0 ? 2 : 1);
    const assignment = {
      job: jobId(at.job),
      index: at.index,
      attempt: next,
      node: machine(name),
      session,
      reason: 'test',
    };
    const other = { ...assignment, index: (at.index + 1) % 6 };
    return { type: 'tasks-assigned', assignments: [assignment, other, assignment] };
  }
  if (kind < 81) {
    const { session: from, key } = keyFrom(state, at);
    const progress = (['fetching', 'running', 'uploading'] as const)[choice % 3] ?? 'running';
    return { type: 'attempts-progressed', session: from, changes: [{ ...key, state: progress }] };
  }
  if (kind < 94) {
    const { session: from, key } = keyFrom(state, at);
    const outcome = outcomes[choice] ?? { type: 'timed-out' };
    const result = { ...key, outcome, outputs: null };
    return { type: 'attempts-finished', session: from, results: at.isWrong ? [result, result] : [result] };
  }
  const indices = at.isWrong ? null : [at.index];
  return kind < 97
    ? { type: 'tasks-cancelled', job: jobId(at.job), indices, by: 'ann', reason: '' }
    : { type: 'tasks-retried', job: jobId(at.job), indices, by: 'ann' };
}
