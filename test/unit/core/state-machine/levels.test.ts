import { describe, expect, it } from 'vitest';
import { membersMax } from '../../../../src-main/core/machine/limits.ts';
import { nodeId } from '../../../../shared/domain/ids.ts';
import { LevelTable } from '../../../../src-main/core/levels/level-table.ts';
import { restoreSnapshot, takeSnapshot } from '../../../../src-main/core/state-machine/snapshot.ts';
import { stateDigest } from '../../../../src-main/core/state-machine/state-digest.ts';
import { capacity, Log, machine, run } from './harness.ts';

function open(log: Log, name: string, supports: number, boot = 1) {
  return log.do({
    ...{ type: 'session-opened', session: run(name, boot), node: machine(name), name, ttlMs: 20_000 },
    ...{ capacity: capacity(1), program: { version: `0.${supports}`, supports } },
  });
}

const raise = (log: Log, level: number) => log.full({ type: 'level-raised', level });

describe('the feature level in the log', () => {
  it('rises once, and only where every machine with a session supports it', () => {
    const log = new Log();
    open(log, 'a', 2);
    open(log, 'b', 1);
    expect(raise(log, 2).result).toMatchObject({ type: 'refused', failure: { code: 'precondition-failed' } });
    open(log, 'b', 2, 2);
    expect(raise(log, 2)).toEqual({ result: { type: 'done' }, events: [{ type: 'level-raised', level: 2 }] });
    expect(raise(log, 2)).toEqual({ result: { type: 'done' }, events: [] });
    expect(raise(log, 1)).toEqual({ result: { type: 'done' }, events: [] });
    expect(log.state.levels.level).toBe(2);
  });

  it('takes a machine that says nothing for one of before the levels', () => {
    const log = new Log();
    log.open('a');
    expect(raise(log, 2).result.type).toBe('refused');
    expect(log.state.levels.programOf(machine('a'))).toEqual({ node: 'a', name: 'a', version: '', supports: 1 });
  });

  it('refuses the session of an older program that was on its way when it rose', () => {
    const log = new Log();
    open(log, 'a', 2);
    raise(log, 2);
    expect(open(log, 'b', 1)).toMatchObject({ type: 'refused', failure: { code: 'unsupported-version' } });
    expect(log.state.sessions.ofNode(machine('b'))).toBeNull();
    expect(open(log, 'b', 2, 2).type).toBe('done');
  });

  it('stands in the snapshot, with what every machine said last, and in the digest of the state', () => {
    const log = new Log();
    open(log, 'a', 2);
    const before = stateDigest(log.state, 0);
    raise(log, 2);
    log.do({ type: 'session-closed', session: run('a') });
    const restored = restoreSnapshot(takeSnapshot(log.state));
    if (!restored.ok) throw new Error(restored.failure.message);
    expect(restored.value.levels.toSnapshot()).toEqual({
      level: 2,
      machines: [{ node: 'a', name: 'a', version: '0.2', supports: 2 }],
    });
    expect(stateDigest(log.state, 0)).not.toBe(before);
    expect(stateDigest(restored.value, 0)).toBe(stateDigest(log.state, 0));
  });

  it('makes a snapshot unreadable for a program that does not support it, whatever else it could read', () => {
    const log = new Log();
    open(log, 'a', 2);
    raise(log, 2);
    const text = takeSnapshot(log.state);
    expect(restoreSnapshot(text, 2).ok).toBe(true);
    expect(restoreSnapshot(text, 1)).toMatchObject({ failure: { code: 'unsupported-version' } });
  });

  it('is 1 in the snapshot of a program from before the levels', () => {
    const { levels: _levels, ...former } = JSON.parse(takeSnapshot(new Log().state)) as Record<string, unknown>;
    const restored = restoreSnapshot(JSON.stringify({ ...former, version: 4 }));
    expect(restored.ok && restored.value.levels.level).toBe(1);
  });
});

describe('the table of programs', () => {
  it('forgets a machine that is away where no more can be remembered, never one that is here', () => {
    const table = new LevelTable();
    const program = { version: '1', supports: 2 };
    for (let at = 0; at < membersMax; at++) table.note(nodeId(`n${at}`), '', program, () => true);
    table.note(nodeId('new'), '', program, (node) => node !== nodeId('n7'));
    expect(table.programOf(nodeId('n7'))).toBeNull();
    expect(table.toSnapshot().machines).toHaveLength(membersMax);
  });
});
