import { describe, expect, it } from 'vitest';
import { slot } from '../../../shared/domain/ids.ts';
import { ReadIndex } from '../../../src-main/runtime/read-index.ts';
import { diskFailed } from './fakes.ts';

function start() {
  const ids: number[] = [];
  return { ids, reads: new ReadIndex((id) => ids.push(id)) };
}

describe('reads of services', () => {
  it('are each answered with their own result', async () => {
    const { ids, reads } = start();
    const [first, second] = [reads.readIndex(), reads.readIndex()];
    const failure = { code: 'timed-out', message: 'nobody answered' } as const;
    reads.onEvent({ type: 'read-failed', id: ids[1] ?? 0, failure });
    reads.onEvent({ type: 'read-ready', id: ids[0] ?? 0, slot: slot(9) });
    expect(await first).toEqual({ ok: true, value: 9 });
    expect(await second).toEqual({ ok: false, failure });
    expect(reads.pendingCount).toBe(0);
  });

  it('can be given up before and after they are asked', async () => {
    const { ids, reads } = start();
    const controller = new AbortController();
    const waiting = reads.readIndex(controller.signal);
    controller.abort();
    expect(await waiting).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
    expect(await reads.readIndex(controller.signal)).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
    expect(ids.length).toBe(1);
  });

  it('end when the node halts, and so do those that come later', async () => {
    const { reads } = start();
    const waiting = reads.readIndex();
    reads.end(diskFailed);
    expect(await waiting).toEqual({ ok: false, failure: diskFailed });
    expect(await reads.readIndex()).toEqual({ ok: false, failure: diskFailed });
  });
});
