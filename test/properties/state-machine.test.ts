import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fencingToken } from '../../shared/domain/ids.ts';
import type { FencingToken, LockName } from '../../shared/domain/ids.ts';
import { taskStates } from '../../shared/domain/task.ts';
import { createState } from '../../src-main/core/state-machine/state.ts';
import type { SwarmState } from '../../src-main/core/state-machine/state.ts';
import { restoreSnapshot, takeSnapshot } from '../../src-main/core/state-machine/snapshot.ts';
import { liveTaskStates } from '../../src-main/core/tasks/job.ts';
import { Log } from '../unit/core/state-machine/harness.ts';
import { commandFor, steps } from './random-commands.ts';

function restored(state: SwarmState): SwarmState {
  const result = restoreSnapshot(takeSnapshot(state));
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

function expectCountsEqualRecount(state: SwarmState): void {
  for (const job of state.tasks.jobs()) {
    const { tasks, total } = state.tasks.tasksPage(job.id, 0, job.taskCount);
    expect(total).toBe(job.taskCount);
    for (const taskState of taskStates) {
      const count = tasks.filter((task) => task.state === taskState).length;
      expect(job.counts[taskState], `job ${job.id} ${taskState}`).toBe(count);
      expect(state.tasks.tasksPage(job.id, 0, 100, taskState).tasks).toHaveLength(count);
    }
    const live = tasks.filter((task) => liveTaskStates.has(task.state));
    for (const task of tasks) {
      const open = task.attempts.filter((attempt) => attempt.endedAt === null);
      expect(open).toHaveLength(liveTaskStates.has(task.state) ? 1 : 0);
    }
    for (const task of live) expect(state.sessions.get(task.attempts.at(-1)!.session)).not.toBeNull();
  }
  for (const session of state.sessions.list()) {
    const attempts = state.tasks.attemptsOfSession(session.id);
    const slots = attempts.reduce((sum, { slots: taken }) => sum + taken, 0);
    expect(state.tasks.slotsUsed(session.node)).toBe(slots);
    expect(slots).toBeLessThanOrEqual(session.capacity.slots);
  }
}

describe('the replicated state under random commands', () => {
  it('gives the same results, events and snapshot when applied twice', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const [left, right] = [new Log(), new Log()];
        for (const step of list) {
          const command = commandFor(left.state, step);
          expect(right.full(structuredClone(command))).toEqual(left.full(command));
        }
        expect(takeSnapshot(right.state)).toBe(takeSnapshot(left.state));
      }),
      { numRuns: 150 },
    );
  });

  it('behaves the same after a snapshot was taken and restored at every step', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const [whole, copied] = [new Log(), new Log()];
        for (const step of list) {
          const command = commandFor(whole.state, step);
          expect(copied.full(command)).toEqual(whole.full(command));
          copied.state = restored(copied.state);
          expect(takeSnapshot(copied.state)).toBe(takeSnapshot(whole.state));
          expect(copied.place(5)).toEqual(whole.place(5));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps counts, live attempts and used slots equal to a recount', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const log = new Log();
        for (const step of list) {
          log.full(commandFor(log.state, step));
          expectCountsEqualRecount(log.state);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never begins a second attempt of a task before the first has ended, and accepts one result per attempt', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const log = new Log();
        const live = new Map<string, FencingToken>();
        for (const step of list) {
          for (const event of log.full(commandFor(log.state, step)).events) {
            if (event.type !== 'attempt-assigned' && event.type !== 'attempt-ended') continue;
            const place = `${event.key.job}.${event.key.index}`;
            if (event.type === 'attempt-assigned') {
              expect(live.has(place)).toBe(false);
              live.set(place, event.key.token);
            } else {
              expect(live.get(place)).toBe(event.key.token);
              live.delete(place);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('has one holder per lock at a time, whose token is above every earlier one', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const log = new Log();
        const held = new Map<LockName, FencingToken>();
        const highest = new Map<LockName, FencingToken>();
        for (const step of list) {
          for (const event of log.full(commandFor(log.state, step)).events) {
            if (event.type === 'lock-granted') {
              expect(held.has(event.name)).toBe(false);
              expect(event.token).toBeGreaterThan(highest.get(event.name) ?? fencingToken(0));
              held.set(event.name, event.token);
              highest.set(event.name, event.token);
            } else if (event.type === 'lock-ended') {
              expect(held.get(event.name)).toBe(event.token);
              held.delete(event.name);
            }
          }
          for (const lock of log.state.locks.list()) expect(lock.holders[0]?.token).toBe(held.get(lock.name));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('restoring a snapshot', () => {
  it('answers a failure to any text or damaged snapshot and never throws', () => {
    const log = new Log();
    log.open('a');
    log.submit(3, { lock: null });
    log.assignAll();
    log.lock('x', 'a');
    const text = takeSnapshot(log.state);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(6), (at, insert, cut) => {
        const result = restoreSnapshot(text.slice(0, at) + insert + text.slice(at + cut));
        if (result.ok) takeSnapshot(result.value);
        else expect(['corrupt', 'unsupported-version']).toContain(result.failure.code);
      }),
      { numRuns: 1_500 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => !restoreSnapshot(JSON.stringify({ version: 1, sessions: value })).ok),
    );
    expect(restoreSnapshot('').ok).toBe(false);
    expect(restoreSnapshot('null').ok).toBe(false);
    expect(takeSnapshot(createState())).toContain('"version":5');
  });
});
