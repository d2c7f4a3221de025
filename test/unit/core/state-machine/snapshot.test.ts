import { describe, expect, it } from 'vitest';
import { jobId } from '../../../../shared/domain/ids.ts';
import { restoreSnapshot, takeSnapshot } from '../../../../src-main/core/state-machine/snapshot.ts';
import { Log, machine, run } from './harness.ts';

/** A second log that goes on from a snapshot of the first. */
function copyOf(log: Log): Log {
  const restored = restoreSnapshot(takeSnapshot(log.state));
  if (!restored.ok) throw new Error(restored.failure.message);
  const copy = new Log(restored.value);
  copy.slot = log.slot;
  return copy;
}

/** Three tasks whose attempts began in the order 2, 0, 1. */
function outOfOrder(): Log {
  const log = new Log();
  log.open('a');
  log.submit(4, { retries: 1 });
  for (const index of [2, 0, 1]) {
    const assignment = { job: jobId(1), index, attempt: 1, node: machine('a'), session: run('a'), reason: '' };
    log.do({ type: 'tasks-assigned', assignments: [assignment] });
  }
  return log;
}

describe('a restored snapshot', () => {
  it('lets tasks that wait again keep their order', () => {
    const log = outOfOrder();
    for (const { key } of [...log.state.tasks.runningOn(machine('a'))].reverse()) {
      log.finish('a', key, { type: 'exited', exitCode: 1 });
    }
    const order = log.place().assignments.map(({ index }) => index);
    expect(order).toEqual([2, 1, 0, 3]);
    expect(
      copyOf(log)
        .place()
        .assignments.map(({ index }) => index),
    ).toEqual(order);
  });

  it('ends the attempts of a lost session in the same order as the original', () => {
    const log = outOfOrder();
    const copy = copyOf(log);
    const closed = { type: 'session-closed', session: run('a') } as const;
    expect(copy.full(closed)).toEqual(log.full(closed));
    expect(takeSnapshot(copy.state)).toBe(takeSnapshot(log.state));
  });

  it('is refused with the version it has when a later program wrote it', () => {
    expect(restoreSnapshot('{"version":6}')).toMatchObject({ failure: { code: 'unsupported-version' } });
  });
});
