import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lockName, slot, wallTime } from '../../../../shared/domain/ids.ts';
import { LockTable } from '../../../../src-main/core/locks/lock-table.ts';
import { lockHistoryMax } from '../../../../src-main/core/locks/records.ts';
import type { LockClaim, LockMoment } from '../../../../src-main/core/locks/records.ts';
import { locksMax } from '../../../../src-main/core/machine/limits.ts';
import { machine, run, token } from '../state-machine/harness.ts';

const x = lockName('x');
const claim = (name: string, owner = 'client:1'): LockClaim => ({
  session: run(name),
  node: machine(name),
  owner,
  label: '',
});
const moment = (at: number): LockMoment => ({ slot: slot(at), at: wallTime(at) });

describe('LockTable', () => {
  it('grants a free lock with the slot as its token and queues the next claim', () => {
    const table = new LockTable();
    expect(table.request(x, claim('a'), true, 0, moment(5))).toMatchObject({ value: { type: 'granted', token: 5 } });
    expect(table.request(x, claim('b'), true, 0, moment(6))).toMatchObject({ value: { type: 'waiting', position: 1 } });
    expect(table.request(x, claim('a', 'client:2'), true, 0, moment(7))).toMatchObject({ value: { position: 2 } });
  });

  it('answers the same when the same owner asks again', () => {
    const table = new LockTable();
    table.request(x, claim('a'), true, 0, moment(1));
    table.request(x, claim('b'), true, 0, moment(2));
    expect(table.request(x, claim('a'), true, 0, moment(3))).toMatchObject({
      value: { type: 'granted', token: 1, changes: [] },
    });
    expect(table.request(x, claim('b'), true, 0, moment(4))).toMatchObject({ value: { type: 'waiting', position: 1 } });
    expect(table.get(x)?.waiters).toHaveLength(1);
  });

  it('refuses a held lock to a claim that does not wait', () => {
    const table = new LockTable();
    table.request(x, claim('a'), false, 0, moment(1));
    expect(table.request(x, claim('b'), false, 0, moment(2))).toMatchObject({
      failure: { code: 'precondition-failed' },
    });
  });

  it('releases only with the token of the holder, and grants the next in the same slot', () => {
    const table = new LockTable();
    table.request(x, claim('a'), true, 0, moment(1));
    table.request(x, claim('b'), true, 0, moment(2));
    expect(table.release(x, run('a'), token(2), moment(3))).toMatchObject({ failure: { code: 'precondition-failed' } });
    expect(table.release(x, run('b'), token(1), moment(3)).ok).toBe(false);
    expect(table.release(x, run('a'), token(1), moment(4))).toMatchObject({
      value: [
        { type: 'ended', cause: 'released' },
        { type: 'granted', holder: { session: run('b'), token: 4 } },
      ],
    });
  });

  it('takes a lock by force only while the expected token holds it', () => {
    const table = new LockTable();
    table.request(x, claim('a'), true, 0, moment(1));
    expect(table.forceRelease(x, token(9), '', moment(2)).ok).toBe(false);
    expect(table.forceRelease(x, token(1), 'stuck', moment(2))).toMatchObject({
      value: [{ type: 'ended', cause: 'forced' }],
    });
  });

  it('drops the waits of a session before it passes on its locks', () => {
    const table = new LockTable();
    table.request(x, claim('a', 'client:1'), true, 0, moment(1));
    table.request(x, claim('a', 'client:2'), true, 0, moment(2));
    table.request(x, claim('b'), true, 0, moment(3));
    const changes = table.endSession(run('a'), false, moment(4));
    expect(changes.map((change) => [change.type, change.holder.session])).toEqual([
      ['ended', run('a')],
      ['granted', run('b')],
    ]);
  });

  it('never gives one slot as the token of two holders when several owners end together', () => {
    const table = new LockTable();
    for (const owner of ['o1', 'o2', 'o3']) table.request(x, claim('a', owner), true, 0, moment(Number(owner[1])));
    const owners = ['o1', 'o2'].map((owner) => ({ session: run('a'), owner }));
    expect(table.endOwners(owners, false, moment(9)).filter((change) => change.type === 'granted')).toHaveLength(1);
    expect(table.get(x)?.holders[0]).toMatchObject({ owner: 'o3', token: 9 });
  });

  it('keeps the latest holders, newest first, with how they ended', () => {
    const table = new LockTable();
    for (let at = 1; at <= 30; at++) {
      table.request(x, claim('a'), true, 0, moment(2 * at));
      table.release(x, run('a'), token(2 * at), moment(2 * at + 1));
    }
    expect(table.get(x)?.history).toHaveLength(lockHistoryMax);
    expect(table.get(x)?.history[0]).toMatchObject({ token: 60, grantedAt: 60, endedAt: 61, cause: 'released' });
  });

  it('forgets the lock that is free for longest when names run out, and refuses when all are held', () => {
    const table = new LockTable();
    for (let at = 1; at <= locksMax; at++) table.request(lockName(`l${at}`), claim('a'), true, 0, moment(at));
    expect(table.request(x, claim('a'), true, 0, moment(locksMax + 1))).toMatchObject({
      failure: { code: 'limit-reached' },
    });
    table.release(lockName('l7'), run('a'), token(7), moment(locksMax + 2));
    expect(table.request(x, claim('a'), true, 0, moment(locksMax + 3)).ok).toBe(true);
    expect(table.get(lockName('l7'))).toBeNull();
  });

  it('agrees with a plain list of claims in the order they came', () => {
    const action = fc.record({ who: fc.nat(4), kind: fc.constantFrom('ask', 'abandon', 'release', 'end') });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const table = new LockTable();
        let line: number[] = [];
        let held = 0;
        for (const [at, { who, kind }] of actions.entries()) {
          const now = moment(at + 1);
          const first = line[0];
          if (kind === 'ask') {
            table.request(x, claim(`m${who}`), true, 0, now);
            if (!line.includes(who)) line.push(who);
          } else if (kind === 'release') {
            const done = table.release(x, run(`m${who}`), token(held), now);
            expect(done.ok).toBe(first === who);
            if (first === who) line = line.slice(1);
          } else {
            if (kind === 'end') table.endSession(run(`m${who}`), false, now);
            else table.abandon(x, run(`m${who}`), 'client:1', now);
            line = line.filter((other) => other !== who);
          }
          if (line[0] !== first) held = at + 1;
          const lock = table.get(x);
          const names = [lock?.holders[0], ...(lock?.waiters ?? [])].flatMap((entry) => entry?.node ?? []);
          expect(names).toEqual(line.map((other) => machine(`m${other}`)));
          if (line.length > 0) expect(lock?.holders[0]?.token).toBe(held);
        }
      }),
      { numRuns: 300 },
    );
  });
});
