import { afterEach, describe, expect, it } from 'vitest';
import type { KvEntry } from '../../../shared/contract/kv.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import { anna, noon, stayOpen, type Fakes } from '../api/fake-services.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

const provenance = { consistency: 'quorum', ageMs: 0, slot: 120 } as const;
const entry: KvEntry = {
  ...{ key: 'site/title', value: 'Geese', created: 40, revision: 55, version: 2 },
  ...{ endsWith: null, by: anna, at: noon },
};

let harness: CliHarness | null = null;
afterEach(async () => {
  await harness?.stop();
  harness = null;
});

async function skein(kv: NonNullable<Fakes['kv']>, argv: readonly string[], stdin?: string) {
  harness = await cliHarness({ kv });
  return harness.skein(['kv', ...argv], stdin);
}

describe('skein kv', () => {
  it('prints a value and nothing else', async () => {
    const done = await skein({ get: async () => ({ entry, provenance }) }, ['get', 'site/title']);
    expect(done).toEqual({ code: 0, out: 'Geese\n', err: '' });
  });

  it('answers 3 for a key that is not there', async () => {
    const done = await skein({ get: async () => ({ entry: null, provenance }) }, ['get', 'none']);
    expect(done).toMatchObject({ code: 3, out: '' });
  });

  it('says how old an own copy is when that was asked for', async () => {
    const asked: boolean[] = [];
    const get: NonNullable<NonNullable<Fakes['kv']>['get']> = async ({ stale }) => {
      asked.push(stale);
      return { entry, provenance: { consistency: 'stale', ageMs: 7_000, slot: 99 } };
    };
    const done = await skein({ get }, ['get', 'site/title', '--stale-ok']);
    expect(asked).toEqual([true]);
    expect(done.err).toContain('7 s old, as of #99');
    const json = await harness!.skein(['--json', 'kv', 'get', 'site/title', '--stale-ok']);
    expect(JSON.parse(json.out)).toMatchObject({ kind: 'KvEntry', consistency: 'stale', slot: 99, value: 'Geese' });
  });

  it('stores what comes on standard input', async () => {
    const seen: unknown[] = [];
    const done = await skein(
      {
        put: async (input) => {
          seen.push(input);
          return { revision: 60, previous: 55, version: 3 };
        },
      },
      ['put', 'site/title', '-'],
      'from a pipe',
    );
    expect(seen).toEqual([{ key: 'site/title', value: 'from a pipe', withSession: false }]);
    expect(done).toMatchObject({ code: 0, out: '' });
  });

  it('answers 6 when a compared key has changed, and 2 when nothing is compared', async () => {
    const changed: NonNullable<Fakes['kv']> = {
      compareAndSet: async () => {
        throw new FailureError({ code: 'precondition-failed', message: 'The key a has revision 9 now.' });
      },
    };
    expect(await skein(changed, ['cas', 'a', 'x', '--revision', '8'])).toMatchObject({ code: 6 });
    expect(await harness!.skein(['kv', 'cas', 'a', 'x'])).toMatchObject({ code: 2 });
    expect(await harness!.skein(['kv', 'cas', 'a', 'x', '--absent', '--revision', '8'])).toMatchObject({ code: 2 });
  });

  it('reads a range page by page up to the limit', async () => {
    const asked: (string | undefined)[] = [];
    const done = await skein(
      {
        range: async ({ from }) => {
          asked.push(from);
          return from === undefined
            ? { entries: [{ ...entry, key: 'a' }], total: 2, next: 'b', provenance }
            : { entries: [{ ...entry, key: 'b' }], total: 1, next: null, provenance };
        },
      },
      ['range', '-o', 'name'],
    );
    expect(asked).toEqual([undefined, 'b']);
    expect(done.out).toBe('a\nb\n');
  });

  it('answers 6 when the other branch of a transaction was taken', async () => {
    const seen: unknown[] = [];
    const transact: NonNullable<NonNullable<Fakes['kv']>['transact']> = async (input) => {
      seen.push(input);
      return { succeeded: false, revision: 61, answers: [{ type: 'got', key: 'a', entry }] };
    };
    const text = '{"compares":[{"type":"version","key":"a","version":1}],"elseOperations":[{"type":"get","key":"a"}]}';
    const done = await skein({ transact }, ['txn'], text);
    expect(done).toMatchObject({ code: 6, out: 'a\tGeese\n' });
    expect(seen).toEqual([
      {
        compares: [{ type: 'version', key: 'a', relation: 'equal', version: 1 }],
        thenOperations: [],
        elseOperations: [{ type: 'get', key: 'a' }],
      },
    ]);
    expect(await harness!.skein(['kv', 'txn'], 'not json')).toMatchObject({ code: 2 });
  });

  it('prints changes, one a line, until it is interrupted', async () => {
    const removed = { type: 'removed', key: 'a', revision: 62, cause: 'session-ended', by: anna, at: noon } as const;
    harness = await cliHarness({
      kv: {
        watch: (_input, call) => stayOpen([{ through: 62, changes: [{ type: 'put' as const, entry }, removed] }], call),
      },
    });
    const running = harness.start(['--json', 'kv', 'watch', 'site/']);
    await expect.poll(() => running.out().split('\n').length, { timeout: 5_000 }).toBe(3);
    running.interrupt();
    const { code, out } = await running.result;
    expect(code).toBe(130);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(['put', 'removed']);
  });
});
