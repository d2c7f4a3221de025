import { describe, expect, it } from 'vitest';
import { nodeId, slot, type NodeId } from '../../../shared/domain/ids.ts';
import { instant } from '../../../src-main/core/machine/time.ts';
import type { Departure } from '../../../src-main/core/membership/voter-choice.ts';
import type { Clock } from '../../../src-main/ports/clock.ts';
import { handOverSeat } from '../../../src-main/services/seat-handover.ts';

const a = nodeId('a');
const b = nodeId('b');

interface Standing {
  voters: readonly NodeId[];
  configId: number;
  /** Configuration of the ballot that is followed; null when no coordinator is heard. */
  followed: number | null;
}

/** A peer whose swarm reacts to its goodbye, and a clock that moves only while it waits. */
function setting(begins: Standing, reaction: (standing: Standing) => void, connected = true) {
  const standing = begins;
  const said: (Departure | null)[] = [];
  let now = 0;
  const clock = {
    now: () => instant(now),
    wall: () => 0,
    setTimer: (afterMs: number, fire: () => void) => {
      now += afterMs;
      reaction(standing);
      queueMicrotask(fire);
      return () => undefined;
    },
  } as unknown as Clock;
  const voter = (node: NodeId) => ({ node, incarnation: 'i', rank: 100 });
  const peer = {
    self: a,
    replica: {
      status: () => ({
        config: { epoch: 0, id: standing.configId, firstSlot: slot(1), voters: standing.voters.map(voter), cuts: [] },
        coordinator: standing.followed === null ? null : b,
        ballot:
          standing.followed === null ? null : { epoch: 0, config: standing.followed, round: 1, rank: 1, voter: b },
      }),
    },
    network: { peers: () => [{ id: b, connected, addresses: [] }] },
    announceDeparture: (departure: Departure | null) => said.push(departure),
  } as unknown as Parameters<typeof handOverSeat>[0];
  return { peer, clock, said, elapsedMs: () => now };
}

const three = [a, b, nodeId('c')];

describe('handing over a seat', () => {
  it('ends when the next configuration has a coordinator, not when the stop-sign is seen', async () => {
    let looks = 0;
    const { peer, clock, said, elapsedMs } = setting({ voters: three, configId: 1, followed: 1 }, (standing) => {
      looks += 1;
      if (looks === 2) Object.assign(standing, { voters: [b], configId: 2, followed: null });
      if (looks === 5) standing.followed = 2;
    });
    expect(await handOverSeat(peer, { departure: 'shutdown', withinMs: 2_000, clock })).toBe(true);
    expect(said).toEqual(['shutdown']);
    expect(elapsedMs()).toBe(250);
  });

  it('gives up in time when nobody takes the seat', async () => {
    const { peer, clock, elapsedMs } = setting({ voters: three, configId: 1, followed: 1 }, () => undefined);
    expect(await handOverSeat(peer, { departure: 'leave', withinMs: 1_000, clock })).toBe(false);
    expect(elapsedMs()).toBe(1_000);
  });

  it('does not wait for what will not happen: no seat, nobody to hear it, or a single vote that only stops', async () => {
    const cases = [
      setting({ voters: [b], configId: 1, followed: 1 }, () => undefined),
      setting({ voters: three, configId: 1, followed: 1 }, () => undefined, false),
      setting({ voters: [a], configId: 1, followed: 1 }, () => undefined),
    ];
    for (const { peer, clock, said, elapsedMs } of cases) {
      expect(await handOverSeat(peer, { departure: 'suspend', withinMs: 1_000, clock })).toBe(true);
      expect(elapsedMs()).toBe(0);
      expect(said).toEqual([]);
    }
  });

  it('moves even a single vote when the machine leaves for good', async () => {
    const { peer, clock } = setting({ voters: [a], configId: 1, followed: 1 }, (standing) =>
      Object.assign(standing, { voters: [b], configId: 2, followed: 2 }),
    );
    expect(await handOverSeat(peer, { departure: 'leave', withinMs: 1_000, clock })).toBe(true);
  });
});
