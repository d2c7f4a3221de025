import { describe, expect, it } from 'vitest';
import { fencingToken, kvKey, lockName, slot, wallTime } from '../../../../shared/domain/ids.ts';
import type { SessionId } from '../../../../shared/domain/ids.ts';
import type { KvCompare, KvOperation } from '../../../../src-main/core/kv/commands.ts';
import { KvStore } from '../../../../src-main/core/kv/kv-store.ts';
import type { KvOutcome } from '../../../../src-main/core/kv/kv-store.ts';
import { keyOf, revisionOf } from '../../../../src-main/core/kv/records.ts';
import type { KvEntry } from '../../../../src-main/core/kv/records.ts';
import { prefixRange } from '../../../../src-main/core/kv/sorted-keys.ts';
import type { Result } from '../../../../shared/domain/failure.ts';
import {
  kvChangesKeptMax,
  kvKeysMax,
  kvKeysPerSessionMax,
  kvValueBytesMax,
} from '../../../../src-main/core/machine/limits.ts';
import { machine, run } from '../state-machine/harness.ts';

const put = (key: string, value = 'v', session: SessionId | null = null): KvOperation => ({
  type: 'put',
  key: kvKey(key),
  value,
  session,
});
const remove = (key: string): KvOperation => ({ type: 'delete', key: kvKey(key) });
const get = (key: string): KvOperation => ({ type: 'get', key: kvKey(key) });

/** A store whose transactions take one slot after the other. */
class Store {
  store = new KvStore();
  slot = 0;
  readonly dead = new Set<SessionId>();
  readonly held = new Map<string, number>();

  do(
    thenOperations: readonly KvOperation[],
    compares: readonly KvCompare[] = [],
    elseOperations: readonly KvOperation[] = [],
  ): Result<KvOutcome> {
    this.slot += 1;
    return this.store.transact(
      { by: machine('a'), compares, thenOperations, elseOperations },
      { slot: slot(this.slot), at: wallTime(this.slot) },
      {
        isSessionAlive: (session) => !this.dead.has(session),
        isLockHeld: (name, token) => this.held.get(name) === token,
      },
    );
  }

  end(session: SessionId) {
    this.slot += 1;
    return this.store.endSession(session, machine('a'), { slot: slot(this.slot), at: wallTime(this.slot) });
  }
}

describe('KvStore', () => {
  it('counts versions from the creation of a key and takes slots as revisions', () => {
    const kv = new Store();
    kv.do([put('k', 'one')]);
    expect(kv.do([put('k', 'two')])).toMatchObject({ value: { answers: [{ type: 'put', previous: 1, version: 2 }] } });
    expect(kv.store.get(kvKey('k'))).toMatchObject({ value: 'two', created: 1, revision: 2, version: 2 });
    kv.do([remove('k')]);
    kv.do([put('k', 'three')]);
    expect(kv.store.get(kvKey('k'))).toMatchObject({ created: 4, revision: 4, version: 1 });
  });

  it('takes the first branch when every comparison holds and the other one otherwise', () => {
    const kv = new Store();
    kv.do([put('a', '1'), put('b', '2')]);
    const same: KvCompare = { type: 'value', key: kvKey('a'), relation: 'equal', value: '1' };
    const later: KvCompare = { type: 'revision', key: kvKey('b'), relation: 'greater', revision: slot(1) };
    expect(kv.do([put('c')], [same, later], [get('a')])).toMatchObject({
      value: { succeeded: false, answers: [{ type: 'got', entry: { value: '1' } }], changes: [] },
    });
    expect(kv.store.get(kvKey('c'))).toBeNull();
    expect(kv.do([put('c')], [same], [remove('a')])).toMatchObject({ value: { succeeded: true } });
    expect(kv.store.count({ from: '', to: null })).toBe(3);
  });

  it('compares a missing key as number 0 and as no value', () => {
    const kv = new Store();
    const key = kvKey('none');
    const compares: KvCompare[] = [
      { type: 'revision', key, relation: 'equal', revision: slot(0) },
      { type: 'created', key, relation: 'less', revision: slot(1) },
      { type: 'version', key, relation: 'not-equal', version: 1 },
      { type: 'value', key, relation: 'not-equal', value: '' },
    ];
    expect(kv.do([], compares)).toMatchObject({ value: { succeeded: true } });
  });

  it('lets a writer require a lock token', () => {
    const kv = new Store();
    const guard = (token: number): KvCompare => ({ type: 'lock', name: lockName('l'), token: fencingToken(token) });
    kv.held.set('l', 7);
    expect(kv.do([put('k')], [guard(7)])).toMatchObject({ value: { succeeded: true } });
    kv.held.set('l', 9);
    expect(kv.do([put('k')], [guard(7)])).toMatchObject({ value: { succeeded: false } });
  });

  it('lists ranges in order of code units, whatever the order of puts', () => {
    const kv = new Store();
    for (const key of ['b/2', 'a', 'b/10', 'c', 'b/', 'b', 'b0', 'ä']) kv.do([put(key)]);
    const keys = (from: string, to: string | null, limit = 10) =>
      kv.store.list({ from, to }, limit).map((each) => each.key);
    expect(keys('', null)).toEqual(['a', 'b', 'b/', 'b/10', 'b/2', 'b0', 'c', 'ä']);
    expect(keys('b', 'c', 3)).toEqual(['b', 'b/', 'b/10']);
    const { from, to } = prefixRange('b/');
    expect(keys(from, to)).toEqual(['b/', 'b/10', 'b/2']);
    expect(kv.store.count(prefixRange('b'))).toBe(5);
    expect(keys('z', 'a')).toEqual([]);
    expect(prefixRange('a\uffff')).toEqual({ from: 'a\uffff', to: 'b' });
  });

  it('removes the keys of a session that ends, and only those', () => {
    const kv = new Store();
    kv.do([put('stays'), put('z', 'v', run('a')), put('a', 'v', run('a'))]);
    kv.do([put('other', 'v', run('b'))]);
    kv.do([put('z')]);
    expect(kv.end(run('a'))).toMatchObject([{ type: 'removed', key: 'a', revision: 4, cause: 'session-ended' }]);
    expect(kv.store.list({ from: '', to: null }, 9).map((each) => each.key)).toEqual(['other', 'stays', 'z']);
  });

  it('refuses a key for a session that has ended', () => {
    const kv = new Store();
    kv.dead.add(run('a'));
    expect(kv.do([put('k', 'v', run('a'))])).toMatchObject({ failure: { code: 'not-found' } });
  });

  it('tells every change from a revision on, a revision never in parts', () => {
    const kv = new Store();
    kv.do([put('a'), put('b')]);
    kv.do([get('a')]);
    kv.do([remove('a'), put('c')]);
    expect(kv.store.changesFrom(slot(1), 1)?.map(keyOf)).toEqual(['a', 'b']);
    expect(kv.store.changesFrom(slot(2), 9)?.map((change) => [revisionOf(change), change.type])).toEqual([
      [3, 'removed'],
      [3, 'put'],
    ]);
    expect(kv.store.changesFrom(slot(4), 9)).toEqual([]);
  });

  it('answers null for a revision whose changes are gone, and names the oldest that is not', () => {
    const kv = new Store();
    for (let count = 0; count < kvChangesKeptMax + 5; count++) kv.do([put('k', String(count))]);
    expect(kv.store.oldestRevision).toBe(6);
    expect(kv.store.changesFrom(slot(5), 9)).toBeNull();
    expect(kv.store.changesFrom(slot(6), 1)?.map(revisionOf)).toEqual([6]);
    expect(kv.store.changesFrom(slot(6), kvChangesKeptMax * 2)).toHaveLength(kvChangesKeptMax);
  });

  it('bounds what changes of large values take', () => {
    const kv = new Store();
    const large = 'x'.repeat(kvValueBytesMax);
    for (let count = 0; count < 1_100; count++) kv.do([put('k', large)]);
    expect(kv.store.oldestRevision).toBeGreaterThan(50);
    expect(kv.store.changesFrom(kv.store.oldestRevision, 5_000)?.length).toBeLessThan(1_050);
  });

  it('refuses what is out of bounds and changes nothing then', () => {
    const kv = new Store();
    const large = 'x'.repeat(kvValueBytesMax + 1);
    expect(kv.do([put('k', large)])).toMatchObject({ failure: { code: 'limit-reached' } });
    expect(kv.do([put('k', 'ä'.repeat(kvValueBytesMax / 2 + 1))])).toMatchObject({
      failure: { code: 'limit-reached' },
    });
    expect(kv.do([put('')])).toMatchObject({ failure: { code: 'bad-input' } });
    expect(kv.do([put('a\nb')])).toMatchObject({ failure: { code: 'bad-input' } });
    expect(kv.do([put('x'.repeat(513))])).toMatchObject({ failure: { code: 'bad-input' } });
    expect(kv.do([put('a'), get('a')])).toMatchObject({ failure: { code: 'bad-input' } });
    const many = ['a', 'b', 'c', 'd'].map((key) => put(key, 'x'.repeat(kvValueBytesMax)));
    expect(kv.do(many)).toMatchObject({ failure: { code: 'limit-reached' } });
    const steps = Array.from({ length: 65 }, (_, at) => put(`k${at}`));
    expect(kv.do(steps)).toMatchObject({ failure: { code: 'bad-input' } });
    expect(kv.store.size).toBe(0);
    expect(kv.store.bytes).toBe(0);
  });

  it('refuses one key more than fits, and one more of a session', () => {
    const kv = new Store();
    const entries = Array.from({ length: kvKeysMax }, (_, at): KvEntry => ({
      ...{ key: kvKey(`k${at}`), value: '', created: slot(1), revision: slot(1), version: 1 },
      ...{ session: at < kvKeysPerSessionMax ? run('a') : null, by: machine('a'), at: wallTime(1) },
    }));
    kv.store = KvStore.restore({ entries, history: { compactedThrough: slot(1), changes: [] } });
    expect(kv.do([put('k99999', '', run('a'))])).toMatchObject({ failure: { code: 'limit-reached' } });
    expect(kv.do([put('one', '')])).toMatchObject({ failure: { code: 'limit-reached' } });
    expect(kv.do([remove('k1'), put('one', '')]).ok).toBe(true);
  });

  it('is the same after a snapshot', () => {
    const kv = new Store();
    kv.do([put('b', '1', run('a')), put('a', '2')]);
    kv.do([remove('a'), put('c', '3', run('a'))]);
    const before = kv.store.toSnapshot();
    kv.store = KvStore.restore(before);
    expect(kv.store.toSnapshot()).toEqual(before);
    expect(kv.store.bytes).toBe(4);
    expect(kv.end(run('a'))).toHaveLength(2);
    expect(kv.store.changesFrom(slot(2), 9)).toHaveLength(4);
  });
});
