import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endDeadConnections, type Pinging } from '../../../../src-main/adapters/libp2p/liveness.ts';
import type { Logger } from '../../../../src-main/ports/logger.ts';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const hourMs = 3_600_000;

describe('connections whose other end may be gone', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function watched(ping: Pinging['services']['ping']['ping'], hasHeard = () => false) {
    const remotePeer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
    const ended: Error[] = [];
    const connection = { remotePeer, status: 'open' as const, abort: (error: Error) => void ended.push(error) };
    const pinged = vi.fn(ping);
    const stop = endDeadConnections(
      { getConnections: () => [connection], services: { ping: { ping: pinged } } },
      silent,
      {
        everyMs: 100,
        timeoutMs: 250,
        hasHeard,
      },
    );
    return { ended, pinged, stop };
  }

  it('stay while it answers, whatever becomes of the wall clock', async () => {
    const { ended, pinged, stop } = await watched(() => Promise.resolve(1));
    for (const stepMs of [-hourMs, 24 * hourMs, -24 * hourMs, 0]) {
      await vi.advanceTimersByTimeAsync(300);
      vi.setSystemTime(Date.now() + stepMs);
    }
    await vi.advanceTimersByTimeAsync(300);
    expect(pinged.mock.calls.length).toBeGreaterThan(10);
    expect(ended).toEqual([]);
    stop();
  });

  it('end when no answer comes in time', async () => {
    const { ended, stop } = await watched(
      (_peer, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('no answer')));
        }),
    );
    await vi.advanceTimersByTimeAsync(340);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(ended.map(({ message }) => message)).toEqual(['no answer']);
    stop();
  });

  it('are not asked while something comes in', async () => {
    let hears = true;
    const { pinged, stop } = await watched(
      () => Promise.resolve(1),
      () => hears,
    );
    await vi.advanceTimersByTimeAsync(500);
    expect(pinged).not.toHaveBeenCalled();
    hears = false;
    await vi.advanceTimersByTimeAsync(100);
    expect(pinged).toHaveBeenCalledTimes(1);
    stop();
  });

  it('stay when the answer is a refusal: somebody else may be asking, and pings at once are limited', async () => {
    const { ended, stop } = await watched(() => Promise.reject(new Error('too many streams')));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ended).toEqual([]);
    stop();
  });

  it('are asked once at a time, and are left alone when the node stops', async () => {
    const { ended, pinged, stop } = await watched(
      (_peer, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('given up')));
        }),
    );
    await vi.advanceTimersByTimeAsync(220);
    expect(pinged).toHaveBeenCalledTimes(1);
    stop();
    await vi.advanceTimersByTimeAsync(500);
    expect(ended).toEqual([]);
  });
});
