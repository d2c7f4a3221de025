import { describe, expect, it } from 'vitest';
import { jobId, lockName, nodeId } from '../../../../shared/domain/ids.ts';
import { placementViewOf } from '../../../../src-main/core/state-machine/state.ts';
import { explainJob, explainTask } from '../../../../src-main/core/tasks/explain.ts';
import { place } from '../../../../src-main/core/tasks/placement.ts';
import { capacity, Log, machine, run } from '../state-machine/harness.ts';

function swarm(slots: Readonly<Record<string, number>>): Log {
  const log = new Log();
  for (const [name, count] of Object.entries(slots)) log.open(name, count);
  return log;
}

const nodes = (log: Log, limit = 256): string[] => log.place(limit).assignments.map(({ node }) => node);
const viewOf = (log: Log) => placementViewOf(log.state, () => null, 0);

describe('place', () => {
  it('fills machines in proportion to their slots and never beyond them', () => {
    const log = swarm({ a: 2, b: 4, c: 0 });
    log.submit(20);
    expect(nodes(log).sort()).toEqual(['a', 'a', 'b', 'b', 'b', 'b']);
    expect(nodes(log, 3).sort()).toEqual(['a', 'b', 'b']);
  });

  it('prefers a machine that others keep less busy', () => {
    const log = swarm({ a: 4, b: 4 });
    log.submit(3);
    const view = placementViewOf(log.state, (node) => (node === nodeId('a') ? 0.9 : 0), 0);
    const { assignments } = place(view, 10);
    expect(assignments.map(({ node }) => node)).toEqual(['b', 'b', 'b']);
    expect(assignments[0]?.reason).toBe('least busy of 2 machines (0 of 4 slots used)');
  });

  it('goes round for round-robin jobs and goes on there in the next call', () => {
    const log = swarm({ a: 4, b: 4, c: 4 });
    log.submit(5, { policy: 'round-robin' });
    expect(nodes(log, 4)).toEqual(['a', 'b', 'c', 'a']);
    expect(nodes(log, 2)).toEqual(['b', 'c']);
  });

  it('places only where the job asks, where its slots fit and where the owner accepts the submitter', () => {
    const log = swarm({ a: 1, b: 4 });
    log.submit(2, { on: machine('a') });
    expect(nodes(log)).toEqual(['a']);
    log.submit(2, { slots: 3 });
    expect(nodes(log).sort()).toEqual(['a', 'b']);
    log.do({ type: 'capacity-changed', session: run('b'), capacity: { ...capacity(4), accepts: { from: 'nobody' } } });
    expect(nodes(log)).toEqual(['a']);
    log.submit(1, { slots: 2 }, 'b');
    expect(nodes(log).sort()).toEqual(['a', 'b']);
  });

  it('keeps a failed task away from its machine, even while every other one is full', () => {
    const log = swarm({ a: 2, b: 1 });
    log.submit(1, { retries: 3, on: null });
    const [key] = log.assignAll();
    if (key === undefined) throw new Error('nothing was assigned');
    log.finish('a', key, { type: 'exited', exitCode: 1 });
    log.submit(1, { on: machine('b') });
    const other = { job: jobId(2), index: 0, attempt: 1, node: machine('b'), session: run('b'), reason: '' };
    log.do({ type: 'tasks-assigned', assignments: [other] });
    expect(nodes(log)).toEqual([]);
    expect(explainTask(viewOf(log), log.job(1), log.task(1, 0)).machines[0]?.verdict).toContain('failed there before');
    log.do({ type: 'session-closed', session: run('b') });
    expect(log.place().assignments.find(({ job }) => job === 1)?.node).toBe('a');
  });

  it('takes jobs of high priority first and those of low priority last, in turn among equals', () => {
    const log = swarm({ a: 8 });
    log.submit(3, { priority: 'low' });
    log.submit(2);
    log.submit(2);
    log.submit(2, { priority: 'high' });
    expect(log.place().assignments.map(({ job }) => job)).toEqual([4, 4, 2, 3, 2, 3, 1, 1]);
  });

  it('places one task per lock at a time, and only while the lock is free', () => {
    const log = swarm({ a: 4, b: 4 });
    log.submit(5, { lock: lockName('x') });
    log.submit(5, { lock: lockName('x') });
    expect(nodes(log)).toHaveLength(1);
    log.assignAll();
    expect(nodes(log)).toEqual([]);
    const other = swarm({ a: 4 });
    other.lock('x', 'a');
    other.submit(1, { lock: lockName('x') });
    expect(nodes(other)).toEqual([]);
    expect(explainJob(viewOf(other), other.job(1)).sentence).toContain('lock x is held');
  });

  it('does not let a large job hold up a small one', () => {
    const log = swarm({ a: 4 });
    log.submit(1_000);
    log.submit(1);
    expect(log.place().assignments.map(({ job }) => job)).toEqual([1, 2, 1, 1]);
  });

  it('looks at few machines per task, however many there are', () => {
    const log = new Log();
    for (let at = 0; at < 500; at++) log.open(`m${at}`, 20);
    log.submit(10_000);
    const view = viewOf(log);
    let looks = 0;
    const workers = view.workers.map((worker) => ({
      ...worker,
      get slots() {
        looks += 1;
        return worker.slots;
      },
    }));
    expect(place({ ...view, workers }, 10_000).assignments).toHaveLength(10_000);
    // A scan would look 5,000,000 times. A clock would measure whatever else this machine does.
    expect(looks).toBeLessThan(300_000);
  });
});

describe('explain', () => {
  it('says that no machine is here, that none may run it, or that all are full', () => {
    const log = new Log();
    log.submit(2);
    expect(explainJob(viewOf(log), log.job(1)).sentence).toContain('no machine has an open session');
    log.open('a', 0);
    expect(explainJob(viewOf(log), log.job(1))).toMatchObject({
      machines: [{ eligible: false, verdict: 'runs no tasks' }],
    });
    log.open('b', 1);
    log.assignAll();
    expect(explainTask(viewOf(log), log.job(1), log.task(1, 1)).sentence).toBe('It waits for a free slot.');
    expect(explainTask(viewOf(log), log.job(1), log.task(1, 0)).sentence).toContain('Attempt 1 is assigned on b');
  });
});
