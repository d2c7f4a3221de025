import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareText, kvKey } from '../../../../shared/domain/ids.ts';
import { isWithin, SortedKeys } from '../../../../src-main/core/kv/sorted-keys.ts';

describe('SortedKeys', () => {
  it('agrees with a set that is sorted each time it is asked', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '/'), maxLength: 3 });
    const change = fc.record({ key, isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), key, fc.option(key), fc.nat(20), (changes, from, to, limit) => {
        const keys = new SortedKeys();
        const plain = new Set<string>();
        for (const change of changes) {
          if (change.isAdded) keys.add(kvKey(change.key));
          else keys.remove(kvKey(change.key));
          if (change.isAdded) plain.add(change.key);
          else plain.delete(change.key);
        }
        const expected = [...plain].sort(compareText).filter((each) => isWithin({ from, to }, each));
        expect(keys.list({ from, to }, limit)).toEqual(expected.slice(0, limit));
        expect(keys.count({ from, to })).toBe(expected.length);
      }),
    );
  });

  it('keeps its order through splits of its blocks and until the last key is gone', () => {
    const names = Array.from({ length: 5_000 }, (_, at) => kvKey(`k${(at * 7_919) % 5_000}`));
    const keys = new SortedKeys([kvKey('a')]);
    for (const name of names) keys.add(name);
    for (const name of names) keys.add(name);
    const sorted = [...names, kvKey('a')].sort(compareText);
    expect(keys.list({ from: '', to: null }, 10_000)).toEqual(sorted);
    expect(new SortedKeys(sorted).list({ from: 'k2', to: 'k3' }, 10_000)).toEqual(
      sorted.filter((name) => name >= 'k2' && name < 'k3'),
    );
    for (const name of sorted) keys.remove(name);
    expect(keys.count({ from: '', to: null })).toBe(0);
    keys.add(kvKey('again'));
    expect(keys.list({ from: '', to: null }, 1)).toEqual(['again']);
  });
});
