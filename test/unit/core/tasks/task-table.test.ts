import { describe, expect, it } from 'vitest';
import { jobId, lockName } from '../../../../shared/domain/ids.ts';
import type { AttemptOutcome } from '../../../../shared/domain/task.ts';
import { jobsMax, tasksPerJobMax } from '../../../../src-main/core/machine/limits.ts';
import type { AttemptKey } from '../../../../src-main/core/tasks/commands.ts';
import { brokenAttemptsMax, lostAttemptsMax } from '../../../../src-main/core/tasks/retry.ts';
import { Log, machine, run, token } from '../state-machine/harness.ts';

const exit = (exitCode: number): AttemptOutcome => ({ type: 'exited', exitCode });

/** A job of one task on machine `a`, its first attempt live. */
function oneLive(change: Parameters<Log['submit']>[1] = {}): { log: Log; key: AttemptKey } {
  const log = new Log();
  log.open('a');
  log.submit(1, change);
  const [key] = log.assignAll();
  if (key === undefined) throw new Error('nothing was assigned');
  return { log, key };
}

describe('tasks in the log', () => {
  it('accept the result with the live token once and refuse it the second time', () => {
    const { log, key } = oneLive();
    expect(log.finish('a', key).events).toMatchObject([{ type: 'attempt-ended', state: 'succeeded' }]);
    expect(log.job(1)).toMatchObject({ state: 'succeeded', endedAt: 1_000 + log.slot });
    expect(log.finish('a', key).events).toMatchObject([{ type: 'result-refused' }]);
    expect(log.job(1).refusedResults).toBe(1);
  });

  it('refuse a result whose token is not the live one, and stay as they were', () => {
    const { log, key } = oneLive();
    const { result, events } = log.finish('a', { ...key, token: token(key.token - 1) });
    expect(result).toEqual({ type: 'tasks-changed', count: 0 });
    expect(events).toMatchObject([{ type: 'result-refused' }]);
    expect(log.task(1, 0)).toMatchObject({ state: 'assigned', attempts: [{ endedAt: null, outcome: null }] });
    expect(log.finish('a', key).events).toMatchObject([{ type: 'attempt-ended', state: 'succeeded' }]);
  });

  it('show the late result of an expired session as refused', () => {
    const { log, key } = oneLive();
    log.do({ type: 'session-expired', session: run('a'), renewal: 0 });
    const { result, events } = log.finish('a', key);
    expect(result).toMatchObject({ type: 'refused', failure: { code: 'not-found' } });
    expect(events).toMatchObject([{ type: 'result-refused', key }]);
    expect(log.job(1)).toMatchObject({ refusedResults: 1, state: 'waiting' });
  });

  it('wait again after a failure while retries are left, then stay failed', () => {
    const { log, key } = oneLive({ retries: 1 });
    log.finish('a', key, exit(3));
    expect(log.task(1, 0)).toMatchObject({ state: 'waiting', avoided: [machine('a')], failures: 1 });
    const [second] = log.assignAll();
    if (second === undefined) throw new Error('no second attempt');
    log.finish('a', second, exit(4));
    expect(log.task(1, 0)).toMatchObject({ state: 'failed', attemptCount: 2 });
    expect(log.job(1)).toMatchObject({ extraAttempts: 1, state: 'failed' });
  });

  it('use up no retry when their machine is lost', () => {
    const { log } = oneLive();
    log.do({ type: 'session-closed', session: run('a') });
    expect(log.task(1, 0)).toMatchObject({ state: 'waiting', failures: 0 });
  });

  it('are not placed again on a machine whose owner refused the job, until the owner changes their mind', () => {
    const { log, key } = oneLive();
    log.finish('a', key, { type: 'rejected', reason: 'busy' });
    expect(log.place().assignments).toEqual([]);
    const accepts = { from: 'listed', members: [machine('a')] } as const;
    const offered = log.state.sessions.get(run('a'))?.capacity;
    if (offered === undefined) throw new Error('no session');
    log.do({ type: 'capacity-changed', session: run('a'), capacity: { ...offered, accepts } });
    expect(log.place().assignments).toHaveLength(1);
  });

  it('give up after a bounded number of attempts that could not start', () => {
    const { log, key } = oneLive();
    let next: AttemptKey | undefined = key;
    let count = 0;
    while (next !== undefined && count < 100) {
      count += 1;
      log.finish('a', next, { type: 'broken', reason: 'no input', retryable: true });
      [next] = log.assignAll();
    }
    expect(count).toBe(brokenAttemptsMax);
    expect(log.task(1, 0)).toMatchObject({ state: 'failed' });
    expect(log.task(1, 0).attempts.map((attempt) => attempt.number)).toEqual([1, 14, 15, 16, 17, 18, 19, 20]);
  });

  it('fail at once, whatever their retries, where their program cannot start', () => {
    const { log, key } = oneLive({ retries: 3 });
    log.finish('a', key, { type: 'broken', reason: 'there is no program x', retryable: false, exitCode: 127 });
    expect(log.task(1, 0)).toMatchObject({ state: 'failed', reason: 'there is no program x' });
    expect(log.assignAll()).toEqual([]);
  });

  it('are not run for ever when every machine that runs them goes down, until somebody asks again', () => {
    const { log } = oneLive();
    let boot = 1;
    while (log.task(1, 0).state !== 'failed' && boot < 50) {
      boot += 1;
      log.open('a', 1, boot);
      log.assignAll();
    }
    expect(boot - 1).toBe(lostAttemptsMax);
    expect(log.task(1, 0).reason).toContain('5 attempts were lost with their machines');
    log.do({ type: 'tasks-retried', job: jobId(1), indices: null, by: 'ann' });
    expect(log.task(1, 0)).toMatchObject({ state: 'waiting', lost: 0 });
  });

  it('are not blamed for machines that stop in order', () => {
    const { log } = oneLive();
    for (let boot = 1; boot < 20; boot++) {
      log.do({ type: 'session-closed', session: run('a', boot) });
      log.open('a', 1, boot + 1);
      log.assignAll();
    }
    expect(log.task(1, 0)).toMatchObject({ state: 'assigned', lost: 0 });
  });

  it('are cancelled at once, and their live attempts are ended so that workers kill them', () => {
    const log = new Log();
    log.open('a', 2);
    log.submit(1_000);
    const [key] = log.assignAll();
    const cancelled = log.full({
      type: 'tasks-cancelled',
      job: jobId(1),
      indices: null,
      by: 'ann',
      reason: 'wrong file',
    });
    expect(cancelled.result).toEqual({ type: 'tasks-changed', count: 1_000 });
    expect(cancelled.events.map((event) => event.type)).toEqual(['attempt-ended', 'attempt-ended']);
    expect(log.task(1, 999)).toMatchObject({ state: 'cancelled', reason: 'cancelled by ann: wrong file' });
    expect(log.place().assignments).toEqual([]);
    if (key !== undefined) expect(log.finish('a', key).events).toMatchObject([{ type: 'result-refused' }]);
  });

  it('run again when a person asks, each with all its retries', () => {
    const { log, key } = oneLive();
    log.finish('a', key, exit(1));
    const retried = log.do({ type: 'tasks-retried', job: jobId(1), indices: null, by: 'ann' });
    expect(retried).toEqual({ type: 'tasks-changed', count: 1 });
    expect(log.job(1)).toMatchObject({ state: 'waiting', endedAt: null });
    expect(log.assignAll()).toMatchObject([{ attempt: 2 }]);
  });

  it('are assigned only as they are: waiting, next number, alive session, free slots', () => {
    const log = new Log();
    log.open('a', 1);
    log.submit(3);
    const good = { job: jobId(1), index: 0, attempt: 1, node: machine('a'), session: run('a'), reason: '' };
    const wrong = [
      { ...good, attempt: 2 },
      { ...good, session: run('a', 2) },
      { ...good, node: machine('b') },
      { ...good, index: 3 },
      { ...good, job: jobId(2) },
    ];
    expect(log.do({ type: 'tasks-assigned', assignments: wrong })).toEqual({ type: 'tasks-changed', count: 0 });
    const assigned = log.do({ type: 'tasks-assigned', assignments: [good, good, { ...good, index: 1 }] });
    expect(assigned).toEqual({ type: 'tasks-changed', count: 1 });
  });

  it('move forward only, and note when they began to run', () => {
    const { log, key } = oneLive();
    const say = (state: 'fetching' | 'running'): unknown =>
      log.do({ type: 'attempts-progressed', session: run('a'), changes: [{ ...key, state }] });
    say('running');
    const startedAt = log.task(1, 0).attempts[0]?.startedAt;
    say('fetching');
    expect(log.task(1, 0)).toMatchObject({ state: 'running', attempts: [{ state: 'running', startedAt }] });
    expect(startedAt).not.toBeNull();
  });

  it('end the locks that their attempts held as owners', () => {
    const { log, key } = oneLive({ lock: lockName('x') });
    const owner = `attempt:1.0#${key.attempt}`;
    expect(log.lock('x', 'a', 'attempt:1.0#9')).toMatchObject({ failure: { code: 'precondition-failed' } });
    expect(log.lock('x', 'a', owner)).toMatchObject({ type: 'lock-granted' });
    expect(log.finish('a', key).events.at(-1)).toMatchObject({ type: 'lock-ended', cause: 'attempt-ended' });
    expect(log.lock('x', 'a', owner)).toMatchObject({ failure: { code: 'precondition-failed' } });
  });

  it('come in jobs whose size is bounded, and the oldest finished job goes when there are too many', () => {
    const { log, key } = oneLive();
    expect(log.submit(tasksPerJobMax + 1)).toMatchObject({ failure: { code: 'bad-input' } });
    expect(log.submit(1, { argv: ['x'.repeat(70_000)] })).toMatchObject({ failure: { code: 'limit-reached' } });
    for (let count = 1; count < jobsMax; count++) log.submit(1);
    expect(log.submit(1)).toMatchObject({ failure: { code: 'limit-reached' } });
    log.finish('a', key);
    expect(log.submit(1)).toEqual({ type: 'job-accepted', job: jobsMax + 1 });
    expect(log.state.tasks.job(jobId(1))).toBeNull();
  });
});
