import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src-main/core/machine/random.ts';
import { readHistory, writeHistory, type Operation } from './history.ts';
import { importHistory } from './importers.ts';
import { checkLinearizability } from './linearizability.ts';
import { modelOf } from './models.ts';
import { randomHistory, type HistoryShape } from './random-history.ts';
import { checkWindows } from './windows.ts';
import { checkWitness } from './witness.ts';

const op = (
  client: string,
  kind: string,
  times: readonly [number, number | null],
  given: Operation['arguments'],
  result: Operation['result'],
  key = 'x',
): Operation => ({ client, kind, key, arguments: given, result, start: times[0], end: times[1] });

/** Tries every order: slow, and too simple to be wrong. */
function anyOrderFits(operations: readonly Operation[]): boolean {
  const search = (left: readonly Operation[], states: ReadonlyMap<string, string>): boolean => {
    if (left.every(({ end }) => end === null)) return true;
    return left.some((next) => {
      if (left.some(({ end }) => end !== null && end < next.start)) return false;
      const model = modelOf(next.kind);
      const after = model?.step(states.get(next.key) ?? model.initial, next) ?? null;
      if (after === null) return false;
      return search(
        left.filter((other) => other !== next),
        new Map(states).set(next.key, after),
      );
    });
  };
  return search(operations, new Map());
}

const shapes: readonly HistoryShape[] = [
  { clients: 5, operations: 400, keys: 2, kinds: 'key-value', unknownShare: 0 },
  { clients: 5, operations: 400, keys: 4, kinds: 'key-value', unknownShare: 0.03 },
  { clients: 8, operations: 1_000, keys: 5, kinds: 'key-value', unknownShare: 0.01 },
  // Long enough for several windows, with operations across their edges.
  { clients: 6, operations: 900, keys: 1, kinds: 'key-value', unknownShare: 0.005 },
  { clients: 5, operations: 400, keys: 1, kinds: 'lock', unknownShare: 0 },
];

/** Makes one read answer what it cannot have seen. */
function spoil(history: readonly Operation[], random: { below(limit: number): number }): Operation[] {
  const reads = history.filter(({ kind, result }) => kind === 'get' && result !== null);
  const victim = reads[random.below(reads.length)];
  return history.map((each) => (each === victim ? { ...each, result: { value: 'never written' } } : each));
}

describe('the linearizability checker', () => {
  it('accepts overlapping operations in either order', () => {
    const history = [
      op('a', 'put', [0, 10], { value: '1' }, {}),
      op('b', 'get', [1, 3], {}, { value: '1' }),
      op('c', 'get', [1, 2], {}, { value: null }),
    ];
    expect(checkLinearizability(history).verdict).toBe('ok');
  });

  it('refuses a read that goes back in time', () => {
    const history = [
      op('a', 'put', [0, 10], { value: '1' }, {}),
      op('b', 'get', [1, 3], {}, { value: '1' }),
      op('c', 'get', [4, 5], {}, { value: null }),
    ];
    const judgement = checkLinearizability(history);
    expect(judgement.verdict).toBe('violation');
    expect(judgement.detail).toContain('"client":"c"');
  });

  it('lets an unanswered write take effect late, or never', () => {
    const late = op('a', 'put', [0, null], { value: '1' }, null);
    const reads = [op('b', 'get', [5, 6], {}, { value: null }), op('b', 'get', [7, 8], {}, { value: '1' })];
    expect(checkLinearizability([late, ...reads]).verdict).toBe('ok');
    expect(checkLinearizability([late, ...reads.slice(0, 1)]).verdict).toBe('ok');
    const twice = [...reads, op('b', 'delete', [9, 10], {}, {}), op('b', 'get', [11, 12], {}, { value: '1' })];
    expect(checkLinearizability([late, ...twice]).verdict).toBe('violation');
  });

  it('refuses two holders of one lock, and a token that does not grow', () => {
    const grant = (client: string, token: number, times: readonly [number, number]): Operation =>
      op(client, 'acquire', times, {}, { token });
    expect(checkLinearizability([grant('a', 1, [0, 1]), grant('b', 2, [2, 3])]).verdict).toBe('violation');
    const expired = op('swarm', 'release', [1, null], { token: 5 }, null);
    expect(checkLinearizability([grant('a', 5, [0, 1]), expired, grant('b', 6, [2, 3])]).verdict).toBe('ok');
    expect(checkLinearizability([grant('a', 5, [0, 1]), expired, grant('b', 4, [2, 3])]).verdict).toBe('violation');
  });

  it('says unknown when a bound is met', () => {
    const random = seededRandom(7);
    const history = randomHistory(random, {
      ...shapes[0],
      clients: 12,
      operations: 500,
      keys: 1,
      kinds: 'key-value',
      unknownShare: 0.2,
    });
    expect(checkLinearizability(spoil(history, random), { configurationsMax: 50 }).verdict).toBe('unknown');
  });

  it.each(shapes)('accepts what a correct object did: $clients clients, $kinds, $unknownShare unanswered', (shape) => {
    for (let seed = 1; seed <= 10; seed++) {
      const history = randomHistory(seededRandom(seed), shape);
      expect(checkLinearizability(history)).toMatchObject({ verdict: 'ok', operations: history.length });
      expect(checkWindows(history).verdict).toBe('ok');
      expect(checkWitness(history)).toEqual([]);
    }
  });

  it.each(shapes.filter(({ kinds }) => kinds === 'key-value'))(
    'refuses a read of what was never written: $clients clients, $unknownShare unanswered',
    (shape) => {
      let seenInWindows = 0;
      for (let seed = 1; seed <= 5; seed++) {
        const random = seededRandom(seed);
        const history = spoil(randomHistory(random, { ...shape, operations: 200 }), random);
        expect(checkLinearizability(history).verdict).toBe('violation');
        if (checkWindows(history).verdict === 'violation') seenInWindows += 1;
        expect(checkWitness(history)).not.toEqual([]);
      }
      // A read across the edge of two windows is left to the witness check.
      expect(seenInWindows).toBeGreaterThanOrEqual(3);
    },
  );

  it('agrees with trying every order, on histories of a few operations, legal or not', () => {
    const tally = { ok: 0, violation: 0 };
    for (let seed = 1; seed <= 600; seed++) {
      const random = seededRandom(seed);
      const kinds = seed % 3 === 0 ? 'lock' : 'key-value';
      const legal = randomHistory(random, { clients: 3, operations: 6, keys: 1, kinds, unknownShare: 0.2 });
      // Results moved from one operation to another of its kind: sometimes still legal, mostly not.
      const history = legal.map((each) => {
        const other = legal[random.below(legal.length)];
        const swapped = other?.kind === each.kind && other.result !== null && each.result !== null;
        return swapped ? { ...each, result: other.result } : each;
      });
      const expected = anyOrderFits(history) ? 'ok' : 'violation';
      tally[expected] += 1;
      expect(checkLinearizability(history).verdict, writeHistory(history)).toBe(expected);
    }
    expect(tally.ok).toBeGreaterThan(50);
    expect(tally.violation).toBeGreaterThan(50);
  });
});

describe('the history format', () => {
  it('reads back what it wrote', () => {
    const history = randomHistory(seededRandom(3), {
      clients: 4,
      operations: 100,
      keys: 2,
      kinds: 'key-value',
      unknownShare: 0.1,
    });
    expect(readHistory(writeHistory(history))).toEqual(history);
  });

  it.each([
    ['{"client":"a"}', 'client, kind and key'],
    ['{"client":"a","kind":"get","key":"x","arguments":{},"result":null,"start":1,"end":2}', 'unknown outcome'],
    ['{"client":"a","kind":"get","key":"x","arguments":{},"result":{},"start":3,"end":2}', 'not before it'],
    ['nonsense', 'line 2 is not JSON'],
  ])('refuses %s', (line, why) => {
    expect(() => readHistory(`\n${line}\n`)).toThrow(why);
  });

  it('imports the logs of a register and of a key-value store', () => {
    const log = [
      'INFO  jepsen.util - 0\t:invoke\t:write\t4',
      'INFO  jepsen.util - 1\t:invoke\t:cas\t[4 2]',
      'INFO  jepsen.util - 0\t:info\t:write\t:timed-out',
      'INFO  jepsen.util - 1\t:ok\t:cas\t[4 2]',
      'INFO  jepsen.util - 1\t:invoke\t:read\tnil',
      'INFO  jepsen.util - 1\t:ok\t:read\tnil',
    ].join('\n');
    expect(importHistory(log).map(({ kind, result }) => [kind, result])).toEqual([
      ['put', null],
      ['cas', { swapped: true }],
      ['get', { value: null }],
    ]);
    expect(checkLinearizability(importHistory(log)).verdict).toBe('violation');
    const store = [
      '{:process 0, :type :invoke, :f :append, :key "0", :value "x"}',
      '{:process 0, :type :ok, :f :append, :key "0", :value "x"}',
      '{:process 1, :type :invoke, :f :get, :key "0", :value nil}',
      '{:process 1, :type :ok, :f :get, :key "0", :value "x"}',
    ].join('\n');
    expect(checkLinearizability(importHistory(store)).verdict).toBe('ok');
  });
});

const folder = process.env['SKEIN_HISTORIES'] ?? join(import.meta.dirname, '../../../shared/histories');

describe.skipIf(!existsSync(join(folder, 'verdicts.txt')))('recorded histories with known verdicts', () => {
  it('are judged as the outside checker judged them, every one', () => {
    const lines = readFileSync(join(folder, 'verdicts.txt'), 'utf8').trim().split('\n');
    const known = new Set(readdirSync(folder));
    const disagreeing = lines.filter((line) => {
      const [name = '', verdict] = line.split(/\s+/);
      if (!known.has(name)) return true;
      const history = importHistory(readFileSync(join(folder, name), 'utf8'));
      return checkLinearizability(history).verdict !== (verdict === 'linearizable' ? 'ok' : verdict);
    });
    expect(lines.length).toBeGreaterThan(0);
    expect(disagreeing).toEqual([]);
  }, 120_000);
});
