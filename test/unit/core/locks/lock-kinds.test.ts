import { beforeEach, describe, expect, it } from 'vitest';
import { lockName, slot, wallTime } from '../../../../shared/domain/ids.ts';
import type { LockMode } from '../../../../src-main/core/locks/commands.ts';
import { LockTable } from '../../../../src-main/core/locks/lock-table.ts';
import type { LockAnswer, LockChange, LockMoment } from '../../../../src-main/core/locks/records.ts';
import type { Result } from '../../../../shared/domain/failure.ts';
import { machine, run, token } from '../state-machine/harness.ts';

const [x, y, z] = [lockName('x'), lockName('y'), lockName('z')];
const shared: LockMode = { type: 'shared' };
const exclusive: LockMode = { type: 'exclusive' };
const permit = (permits: number): LockMode => ({ type: 'permit', permits });

let table: LockTable;
let now = 0;
beforeEach(() => {
  table = new LockTable();
  now = 0;
});

const moment = (): LockMoment => ({ slot: slot(++now), at: wallTime(now) });

interface Terms {
  readonly wait?: boolean;
  readonly delayMs?: number;
  readonly keeps?: boolean;
}

function ask(
  who: string,
  mode: LockMode,
  names = [x],
  { wait = true, delayMs = 0, keeps = false }: Terms = {},
): Result<LockAnswer> {
  const claim = { session: run(who), node: machine(who), owner: 'client:1', label: '' };
  return table.requestAll({ claim, wishes: names.map((name) => ({ name, mode })), wait, delayMs, keeps }, moment());
}

const holders = (name = x): string[] => (table.get(name)?.holders ?? []).map(({ node }) => node);
const release = (who: string, at: number, name = x): Result<readonly LockChange[]> =>
  table.release(name, run(who), token(at), moment());
const granted = (changes: Result<readonly LockChange[]>): string[] =>
  (changes.ok ? changes.value : []).flatMap((change) => (change.type === 'granted' ? change.holder.node : []));

describe('readers and writers', () => {
  it('lets readers in together and a writer alone', () => {
    ask('a', shared);
    expect(ask('b', shared)).toMatchObject({ value: { type: 'granted', token: 2 } });
    expect(ask('c', exclusive)).toMatchObject({ value: { type: 'waiting' } });
    expect(holders()).toEqual(['a', 'b']);
  });

  it('makes later readers wait behind a writer, so that it gets its turn', () => {
    ask('a', shared);
    ask('w', exclusive);
    expect(ask('b', shared)).toMatchObject({ value: { type: 'waiting', position: 2 } });
    expect(ask('c', shared, [x], { wait: false }).ok).toBe(false);
    expect(granted(release('a', 1))).toEqual(['w']);
    expect(granted(release('w', 5))).toEqual(['b']);
  });

  it('lets all readers up to the next writer in at one slot', () => {
    ask('w', exclusive);
    for (const who of ['a', 'b']) ask(who, shared);
    ask('v', exclusive);
    ask('c', shared);
    expect(granted(release('w', 1))).toEqual(['a', 'b']);
    expect(table.get(x)?.holders.map((holder) => holder.token)).toEqual([6, 6]);
  });

  it('lets readers in when the writer they wait behind gives up', () => {
    ask('a', shared);
    ask('w', exclusive);
    ask('b', shared);
    expect(table.abandon(x, run('w'), 'client:1', moment())).toMatchObject([
      { type: 'granted', holder: { node: 'b' } },
    ]);
  });

  it('turns a writer into a reader with the same token, and lets those behind it read along', () => {
    ask('w', exclusive);
    ask('a', shared);
    const changes = table.downgrade(x, { session: run('w'), owner: 'client:1' }, token(1), moment());
    expect(changes).toMatchObject({ value: [{ type: 'downgraded' }, { type: 'granted', holder: { token: 3 } }] });
    expect(table.holderOf(x, { session: run('w'), owner: 'client:1' })?.token).toBe(1);
  });

  it('never turns a reader into a writer in place', () => {
    ask('a', shared);
    expect(ask('a', exclusive)).toMatchObject({ failure: { code: 'precondition-failed' } });
  });
});

describe('a semaphore', () => {
  it('has at most as many holders as permits, and passes a free one to the next in line', () => {
    for (const who of ['a', 'b', 'c', 'd']) ask(who, permit(2));
    expect(holders()).toEqual(['a', 'b']);
    expect(granted(release('b', 2))).toEqual(['c']);
    expect(holders()).toEqual(['a', 'c']);
  });

  it('is refused to whoever takes it for something else', () => {
    ask('a', permit(2));
    expect(ask('b', permit(3))).toMatchObject({ failure: { code: 'precondition-failed' } });
    expect(ask('b', exclusive)).toMatchObject({ failure: { code: 'precondition-failed' } });
    release('a', 1);
    expect(ask('b', exclusive)).toMatchObject({ value: { type: 'granted' } });
  });
});

describe('several locks at once', () => {
  it('are granted in one entry with one token, or not at all', () => {
    ask('a', exclusive, [y]);
    expect(ask('b', exclusive, [z, x, y])).toMatchObject({ value: { type: 'waiting' } });
    expect(holders(x)).toEqual([]);
    expect(granted(release('a', 1, y))).toEqual(['b', 'b', 'b']);
    expect([x, y, z].map((name) => table.get(name)?.holders[0]?.token)).toEqual([3, 3, 3]);
  });

  it('keep their place in every line: nobody overtakes them where a lock is free', () => {
    ask('a', exclusive, [y]);
    ask('b', exclusive, [x, y]);
    expect(ask('c', exclusive, [x])).toMatchObject({ value: { type: 'waiting', position: 2 } });
    release('a', 1, y);
    expect([holders(x), holders(y)]).toEqual([['b'], ['b']]);
  });

  it('never wait for each other in a circle', () => {
    ask('a', exclusive, [x, y]);
    ask('b', exclusive, [y, z]);
    ask('c', exclusive, [z, x]);
    expect(
      granted(
        table.releaseAll([x, y], { session: run('a'), node: machine('a'), owner: 'client:1' }, token(1), moment()),
      ),
    ).toEqual(['b', 'b']);
    table.endSession(run('b'), false, moment());
    expect([holders(x), holders(z)]).toEqual([['c'], ['c']]);
  });

  it('are all given up when one of them is', () => {
    ask('a', exclusive, [x]);
    ask('b', exclusive, [x, y]);
    ask('c', exclusive, [y]);
    expect(table.abandon(x, run('b'), 'client:1', moment())).toMatchObject([
      { type: 'granted', holder: { node: 'c' } },
    ]);
    expect(table.get(x)?.waiters).toEqual([]);
  });

  it('are released together or not at all', () => {
    ask('a', exclusive, [x, y]);
    const by = { session: run('a'), node: machine('a'), owner: 'client:1' };
    expect(table.releaseAll([x, z], by, token(1), moment()).ok).toBe(false);
    expect(holders(x)).toEqual(['a']);
  });
});

describe('the delay after a loss', () => {
  it('keeps the place of a holder whose session was lost until its end is in the log', () => {
    ask('a', exclusive, [x], { delayMs: 15_000 });
    ask('b', exclusive);
    expect(table.endSession(run('a'), true, moment())).toMatchObject([{ type: 'ended', delayMs: 15_000 }]);
    expect(table.isFree(x)).toBe(false);
    expect(ask('c', exclusive, [x], { wait: false }).ok).toBe(false);
    expect(granted(table.endDelay(x, slot(3), moment()))).toEqual(['b']);
    expect(table.delays()).toEqual([]);
  });

  it('is there after force too, and never after a release or a session that was closed', () => {
    ask('a', exclusive, [x], { delayMs: 15_000 });
    table.forceRelease(x, token(1), 'by ann: stuck', moment());
    expect(table.get(x)?.history[0]).toMatchObject({ cause: 'forced', remark: 'by ann: stuck' });
    expect(table.delays()).toMatchObject([{ name: 'x', delay: { since: 2, delayMs: 15_000 } }]);
    ask('a', exclusive, [y], { delayMs: 15_000 });
    release('a', 3, y);
    ask('b', exclusive, [y], { delayMs: 15_000 });
    table.endSession(run('b'), false, moment());
    expect(table.delays()).toHaveLength(1);
  });

  it('is there when others ended an attempt, whose processes may still run, and not when it ended itself', () => {
    const owner = 'client:1';
    ask('a', exclusive, [x], { delayMs: 15_000 });
    table.endOwners([{ session: run('a'), owner }], true, moment());
    expect(table.delays()).toMatchObject([{ name: 'x', delay: { delayMs: 15_000 } }]);
    ask('a', exclusive, [y], { delayMs: 15_000 });
    table.endOwners([{ session: run('a'), owner }], false, moment());
    expect(table.delays()).toHaveLength(1);
  });

  it('holds back only whom the lost holder would have held back', () => {
    ask('a', shared, [x], { delayMs: 5 });
    ask('b', permit(2), [y], { delayMs: 5 });
    table.endSession(run('a'), true, moment());
    table.endSession(run('b'), true, moment());
    expect(ask('c', shared)).toMatchObject({ value: { type: 'granted' } });
    expect(ask('w', exclusive)).toMatchObject({ value: { type: 'waiting' } });
    expect(ask('c', permit(2), [y])).toMatchObject({ value: { type: 'granted' } });
    expect(ask('d', permit(2), [y])).toMatchObject({ value: { type: 'waiting' } });
  });

  it('is refused an end that names another one', () => {
    ask('a', exclusive, [x], { delayMs: 5 });
    table.endSession(run('a'), true, moment());
    expect(table.endDelay(x, slot(1), moment())).toMatchObject({ failure: { code: 'precondition-failed' } });
  });
});

describe('a lock that outlives its session', () => {
  it('stays with its machine until it is released there, or taken by force', () => {
    ask('a', exclusive, [x], { keeps: true });
    ask('b', exclusive);
    expect(table.endSession(run('a'), true, moment())).toEqual([]);
    const later = { session: run('a', 2), node: machine('a'), owner: 'release' };
    const stranger = { session: run('b'), node: machine('b'), owner: 'release' };
    expect(table.releaseAll([x], stranger, token(1), moment()).ok).toBe(false);
    expect(granted(table.releaseAll([x], later, token(1), moment()))).toEqual(['b']);
  });
});

describe('a table of locks of every kind', () => {
  it('is the same after a snapshot', () => {
    ask('a', shared, [x], { delayMs: 5 });
    ask('b', shared, [x], { delayMs: 5 });
    ask('c', exclusive, [x, y]);
    ask('d', permit(2), [z], { keeps: true });
    table.endSession(run('a'), true, moment());
    const copy = LockTable.restore(structuredClone(table.toSnapshot()));
    expect(copy.toSnapshot()).toEqual(table.toSnapshot());
    const end = { slot: slot(99), at: wallTime(99) };
    expect(copy.endSession(run('b'), false, end)).toEqual(table.endSession(run('b'), false, end));
    expect(copy.endDelay(x, slot(5), { ...end, slot: slot(100) })).toEqual(
      table.endDelay(x, slot(5), { ...end, slot: slot(100) }),
    );
    expect(holders(y)).toEqual(['c']);
  });
});
