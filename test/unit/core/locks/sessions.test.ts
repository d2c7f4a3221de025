import { describe, expect, it } from 'vitest';
import { lockName } from '../../../../shared/domain/ids.ts';
import { Log, machine, run } from '../state-machine/harness.ts';

describe('sessions in the log', () => {
  it('end with a later run of the same machine, and their locks and attempts with them', () => {
    const log = new Log();
    log.open('a');
    log.submit(1);
    log.assignAll();
    log.lock('x', 'a');
    const { events } = log.open('a', 4, 2);
    expect(events.map((event) => event.type)).toEqual([
      'session-ended',
      'attempt-ended',
      'lock-ended',
      'session-opened',
    ]);
    expect(log.task(1, 0)).toMatchObject({ state: 'waiting', failures: 0, attempts: [{ state: 'lost' }] });
    expect(log.state.sessions.list().map((session) => session.id)).toEqual([run('a', 2)]);
  });

  it('are not ended by a delayed opening of an earlier run', () => {
    const log = new Log();
    log.open('a', 4, 10);
    expect(log.open('a', 4, 9).result).toMatchObject({ type: 'refused', failure: { code: 'precondition-failed' } });
    expect(log.state.sessions.ofNode(machine('a'))?.id).toBe(run('a', 10));
  });

  it('stay when opened twice', () => {
    const log = new Log();
    log.open('a');
    log.lock('x', 'a');
    expect(log.open('a')).toEqual({ result: { type: 'done' }, events: [] });
    expect(log.state.locks.isFree(lockName('x'))).toBe(false);
  });

  it('expire only while the renewal is the one the proposer saw', () => {
    const log = new Log();
    log.open('a');
    log.do({ type: 'session-renewed', session: run('a'), renewal: 1 });
    expect(log.do({ type: 'session-expired', session: run('a'), renewal: 0 })).toMatchObject({ type: 'refused' });
    log.do({ type: 'session-renewed', session: run('a'), renewal: 0 });
    const { events } = log.full({ type: 'session-expired', session: run('a'), renewal: 1 });
    expect(events).toEqual([{ type: 'session-ended', session: run('a'), node: machine('a'), expired: true }]);
  });

  it('that are over are refused everything', () => {
    const log = new Log();
    const refusal = { type: 'refused', failure: { code: 'not-found' } };
    expect(log.do({ type: 'session-renewed', session: run('a'), renewal: 1 })).toMatchObject(refusal);
    expect(log.do({ type: 'session-closed', session: run('a') })).toMatchObject(refusal);
    expect(log.lock('x', 'a')).toMatchObject(refusal);
    expect(log.do({ type: 'attempts-progressed', session: run('a'), changes: [] })).toMatchObject(refusal);
  });
});
