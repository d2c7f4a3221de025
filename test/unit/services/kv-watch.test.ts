import { afterEach, describe, expect, it } from 'vitest';
import { kvKey, slot } from '../../../shared/domain/ids.ts';
import type { KvWatchFrame } from '../../../shared/contract/kv.ts';
import { prefixRange } from '../../../src-main/core/kv/sorted-keys.ts';
import { kvChangesKeptMax } from '../../../src-main/core/machine/limits.ts';
import { KvWatches } from '../../../src-main/services/kv-watch.ts';
import { LocalReplica, settled } from './fakes.ts';

const leaving: AbortController[] = [];
afterEach(() => {
  for (const controller of leaving.splice(0)) controller.abort();
});

function put(replica: LocalReplica, key: string, value = 'v'): void {
  replica.apply({
    type: 'kv-transacted',
    by: replica.self,
    compares: [],
    thenOperations: [{ type: 'put', key: kvKey(key), value, session: null }],
    elseOperations: [],
  });
}

function watch(replica: LocalReplica, prefix: string, from: number) {
  const controller = new AbortController();
  leaving.push(controller);
  const nameOf = (id: string) => ({ id, name: id });
  const frames = new KvWatches().watch({ replica, nameOf }, prefixRange(prefix), slot(from), controller.signal);
  return { frames, leave: () => controller.abort() };
}

const keysOf = (frame: KvWatchFrame): string[] =>
  frame.changes.map((change) => (change.type === 'put' ? change.entry.key : change.key));

describe('a watch', () => {
  it('begins with what happened since its revision and goes on with what happens', async () => {
    const replica = new LocalReplica();
    for (const key of ['a/1', 'b/1', 'a/2']) put(replica, key);
    const { frames } = watch(replica, 'a/', 2);
    const first = await frames.next();
    expect(first.value && keysOf(first.value)).toEqual(['a/2']);
    const second = frames.next();
    await settled();
    put(replica, 'b/2');
    put(replica, 'a/3');
    const { value } = await second;
    expect(value && [keysOf(value), value.through]).toEqual([['a/3'], 5]);
  });

  it('tells at once how far it is when there is nothing to tell', async () => {
    const replica = new LocalReplica();
    put(replica, 'x');
    const { frames } = watch(replica, 'a/', 2);
    expect(await frames.next()).toEqual({ done: false, value: { through: 1, changes: [] } });
  });

  it('misses nothing while its reader is slow', async () => {
    const replica = new LocalReplica();
    const { frames } = watch(replica, '', 1);
    await frames.next();
    for (let at = 0; at < 1_000; at++) put(replica, `k${at}`);
    const seen: string[] = [];
    while (seen.length < 1_000) {
      const { value } = await frames.next();
      if (value) seen.push(...keysOf(value));
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, at) => `k${at}`));
  });

  it('names the oldest revision when what it asked for is no longer kept', async () => {
    const replica = new LocalReplica();
    for (let at = 0; at < kvChangesKeptMax + 10; at++) put(replica, 'k');
    const { frames } = watch(replica, '', 5);
    await expect(frames.next()).rejects.toMatchObject({
      failure: { code: 'precondition-failed', message: expect.stringContaining('11 is the oldest') as string },
    });
  });

  it('tells a watcher of a quiet range how far it has come, so that it can go on there', async () => {
    const replica = new LocalReplica();
    const { frames } = watch(replica, 'quiet/', 1);
    await frames.next();
    const next = frames.next();
    for (let at = 0; at < 1_500; at++) put(replica, 'noise');
    const { value } = await next;
    expect(value && value.changes).toEqual([]);
    expect(value && value.through).toBeGreaterThanOrEqual(1_000);
  });

  it('ends when its reader leaves', async () => {
    const replica = new LocalReplica();
    const { frames, leave } = watch(replica, '', 1);
    await frames.next();
    const next = frames.next();
    await settled();
    leave();
    expect(await next).toMatchObject({ done: true });
  });
});
