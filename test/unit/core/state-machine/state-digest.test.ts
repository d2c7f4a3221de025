import { describe, expect, it } from 'vitest';
import { kvKey } from '../../../../shared/domain/ids.ts';
import { digestVersion } from '../../../../src-main/core/machine/digest.ts';
import { recordsPerCheckpoint } from '../../../../src-main/core/machine/limits.ts';
import { restoreSnapshot, takeSnapshot } from '../../../../src-main/core/state-machine/snapshot.ts';
import { stateDigest } from '../../../../src-main/core/state-machine/state-digest.ts';
import type { SwarmState } from '../../../../src-main/core/state-machine/state.ts';
import { Log, machine } from './harness.ts';

function put(log: Log, key: string): void {
  log.do({
    type: 'kv-transacted',
    by: machine('a'),
    compares: [],
    thenOperations: [{ type: 'put', key: kvKey(key), value: `value of ${key}`, session: null }],
    elseOperations: [],
  });
}

function busy(): Log {
  const log = new Log();
  for (const name of ['a', 'b', 'c']) log.open(name);
  log.lock('one', 'a');
  log.lock('one', 'b');
  log.submit(600);
  const [first] = log.assignAll();
  if (first !== undefined) log.finish('a', first);
  for (let at = 0; at < 20; at++) put(log, `key ${at}`);
  return log;
}

function restored(state: SwarmState): SwarmState {
  const again = restoreSnapshot(takeSnapshot(state));
  if (!again.ok) throw new Error(again.failure.message);
  return again.value;
}

/** Past the types, as memory that fails goes past them. */
const alter = (record: object, field: string, value: unknown): void => {
  Reflect.set(record, field, value);
};

describe('the digest of a state', () => {
  it('is the same after a snapshot, and on a machine that applies the same entries', () => {
    const log = busy();
    expect(stateDigest(restored(log.state), 7)).toBe(stateDigest(log.state, 7));
    expect(stateDigest(busy().state, 7)).toBe(stateDigest(log.state, 7));
    put(log, 'one more');
    expect(stateDigest(busy().state, 7)).not.toBe(stateDigest(log.state, 7));
  });

  it.each<[string, (state: SwarmState) => void]>([
    ['a session', (state) => alter(state.sessions.list()[0] ?? {}, 'ttlMs', 1)],
    ['a holder of a lock', (state) => alter(state.locks.list()[0]?.holders[0] ?? {}, 'token', 1)],
    ['a value', (state) => alter(state.kv.page(3, 4)[0] ?? {}, 'value', 'x')],
    ['a change kept for watchers', (state) => alter(state.kv.history.page(3, 4)[0] ?? {}, 'type', 'x')],
    ['a job', (state) => alter(state.tasks.toSnapshot().jobs[0] ?? {}, 'extraAttempts', 3)],
    ['a task', (state) => alter(state.tasks.toSnapshot().jobs[0]?.touched.get(0) ?? {}, 'reason', 'x')],
  ])('is another one when %s is not what it was', (_, change) => {
    const { state } = busy();
    const before = stateDigest(state, 0);
    change(state);
    expect(stateDigest(state, 0)).not.toBe(before);
  });

  it('is a known one for a known state: who must change this value raises the version of digests, too', () => {
    expect([digestVersion, stateDigest(busy().state, 0)]).toEqual([2, 'ee45a72766c51a6ca5a7212d1267fc0e']);
  });

  it('goes through a large state in turns, so that each record is looked at in one of them', () => {
    const log = new Log();
    for (let at = 0; at < 2.5 * recordsPerCheckpoint; at++) put(log, `key ${at}`);
    const copy = restored(log.state);
    const turns = Array.from({ length: 16 }, (_, turn) => turn);
    for (const turn of turns) expect(stateDigest(copy, turn)).toBe(stateDigest(log.state, turn));
    const last = 2.5 * recordsPerCheckpoint - 1;
    for (const at of [0, 700, 1_999, last]) {
      const entry = copy.kv.page(at, at + 1)[0] ?? {};
      const value: unknown = Reflect.get(entry, 'value');
      alter(entry, 'value', 'x');
      const seen = turns.filter((turn) => stateDigest(copy, turn) !== stateDigest(log.state, turn));
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.length).toBeLessThan(turns.length);
      alter(entry, 'value', value);
    }
  });
});
