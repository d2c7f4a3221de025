import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src-main/services/concurrency.ts';
import { Room } from '../../../src-main/services/room.ts';
import { settled } from './fakes.ts';

const never = new AbortController().signal;

describe('a gate', () => {
  it('lets only so many through at once, in order, also when some fail', async () => {
    const gate = new Gate(2);
    const log: string[] = [];
    const ends: (() => void)[] = [];
    const work = (name: string) => (): Promise<void> => {
      log.push(name);
      return new Promise((resolve, reject) => ends.push(name === 'b' ? () => reject(new Error(name)) : resolve));
    };
    const all = ['a', 'b', 'c', 'd'].map((name) => gate.run(work(name)).catch(() => log.push(`${name} failed`)));
    await settled();
    expect(log).toEqual(['a', 'b']);
    ends[1]?.();
    await settled();
    expect(log).toEqual(['a', 'b', 'c', 'b failed']);
    for (let index = 0; index < 4; index++) {
      ends[index]?.();
      await settled();
    }
    await Promise.all(all);
    expect(log.at(-1)).toBe('d');
  });
});

describe('the room of a machine', () => {
  it('holds as many slots as there are, first come, first served', async () => {
    const room = new Room(() => 3);
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const use = (name: string, slots: number, signal = never): Promise<void> =>
      room.use(slots, signal, () => {
        started.push(name);
        return new Promise((resolve) => ends.set(name, resolve));
      });
    const all = [use('two', 2), use('also two', 2), use('one', 1)];
    await settled();
    expect(started).toEqual(['two']);
    ends.get('two')?.();
    await settled();
    expect(started).toEqual(['two', 'also two', 'one']);
    expect(room.used).toBe(3);
    for (const end of ends.values()) end();
    await Promise.all(all);
    expect(room.used).toBe(0);
  });

  it('runs work that needs more than all slots alone', async () => {
    const room = new Room(() => 1);
    expect(await room.use(5, never, async () => room.used)).toBe(5);
  });

  it('forgets who gives up waiting', async () => {
    const room = new Room(() => 1);
    const ending = Promise.withResolvers<void>();
    const first = room.use(1, never, () => ending.promise);
    const leaving = new AbortController();
    const second = room.use(1, leaving.signal, async () => 'ran');
    leaving.abort();
    await expect(second).rejects.toMatchObject({ failure: { code: 'cancelled' } });
    ending.resolve();
    await first;
    expect(room.used).toBe(0);
  });
});
