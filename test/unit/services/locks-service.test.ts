import { beforeEach, describe, expect, it } from 'vitest';
import { createLocksService } from '../../../src-main/services/locks-service.ts';
import { Changes } from '../../../src-main/services/live-view.ts';
import type { RunningPeer } from '../../../src-main/services/running-peer.ts';
import { SessionKeeper } from '../../../src-main/services/session-keeper.ts';
import { LocalReplica, ManualClock, settled, silentLogger } from './fakes.ts';

const ttlMs = 20_000;
const capacity = { slots: 1, os: 'linux', arch: 'x64', memoryBytes: 1, accepts: { from: 'nobody' } } as const;

describe('a lock that somebody holds by a call', () => {
  let clock: ManualClock;
  let replica: LocalReplica;
  let locks: ReturnType<typeof createLocksService>;
  let leaving: AbortController;

  beforeEach(async () => {
    clock = new ManualClock();
    replica = new LocalReplica();
    leaving = new AbortController();
    let boot = 1;
    const keeper = new SessionKeeper({
      self: replica.self,
      name: 'me',
      ttlMs,
      replica,
      clock,
      logger: silentLogger,
      capacity: () => capacity,
      firstRecord: { incarnation: 'aa', boot },
      nextRecord: async () => ({ incarnation: 'aa', boot: ++boot }),
    });
    keeper.start();
    await settled();
    // The parts of a peer that locks need.
    const peer = { self: replica.self, replica, keeper } as unknown as RunningPeer;
    const noProcesses = (): Promise<void> => Promise.resolve();
    locks = createLocksService({ self: replica.self, current: peer }, new Changes(clock), noProcesses);
  });

  const hold = () =>
    locks
      .hold(
        { name: 'store', label: '', wait: true, also: [], mode: 'exclusive', permits: 1, delayMs: 15_000 },
        { signal: leaving.signal },
      )
      [Symbol.asyncIterator]();
  const released = (): number => replica.commands.filter(({ type }) => type.endsWith('released')).length;

  it('is not given back when it is lost, only when its holder has gone', async () => {
    const events = hold();
    expect((await events.next()).value).toMatchObject({ type: 'granted' });
    clock.moveWall(3_600_000);
    const lost = events.next();
    await clock.advance(1_000);
    expect((await lost).value).toMatchObject({ type: 'lost' });
    const end = events.next();
    await clock.advance(2_000);
    expect(released()).toBe(0);
    leaving.abort();
    await end;
    expect(released()).toBe(1);
  });

  it('is lost at once when the news of its grant comes after the lease can be relied on', async () => {
    replica.held = true;
    const first = hold().next();
    await clock.advance(ttlMs);
    replica.release();
    expect((await first).value).toMatchObject({ type: 'lost' });
  });
});
