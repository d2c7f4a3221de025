import { beforeEach, describe, expect, it } from 'vitest';
import { Changes } from '../../../src-main/services/live-view.ts';
import { ManualClock, settled } from './fakes.ts';

describe('a live view', () => {
  let clock: ManualClock;
  let changes: Changes;

  beforeEach(() => {
    clock = new ManualClock();
    changes = new Changes(clock);
  });

  it('shows the state at once and joins many changes into one frame', async () => {
    let value = 0;
    const ending = new AbortController();
    const frames: number[] = [];
    const reading = (async () => {
      for await (const frame of changes.watch(() => value, ending.signal)) frames.push(frame);
    })();
    await settled();
    for (value = 1; value < 50; value++) changes.changed();
    await settled();
    expect(frames).toEqual([0]);
    await clock.advance(100);
    expect(frames).toEqual([0, 50]);
    ending.abort();
    await reading;
  });

  it('gives a slow reader the newest view, not every one', async () => {
    let value = 0;
    const ending = new AbortController();
    const frames = changes.watch(() => value, ending.signal);
    expect((await frames.next()).value).toBe(0);
    for (value = 1; value <= 3; value++) {
      changes.changed();
      await clock.advance(100);
    }
    value = 9;
    expect((await frames.next()).value).toBe(9);
    ending.abort();
    expect((await frames.next()).done).toBe(true);
  });

  it('frees its place when a reader stops, and refuses more readers than it can serve', async () => {
    const signal = new AbortController().signal;
    const readers = Array.from({ length: 256 }, () => changes.watch(() => 1, signal));
    for (const reader of readers) await reader.next();
    await expect(changes.watch(() => 1, signal).next()).rejects.toMatchObject({ failure: { code: 'limit-reached' } });
    await readers[0]?.return(undefined);
    expect((await changes.watch(() => 1, signal).next()).value).toBe(1);
  });
});
