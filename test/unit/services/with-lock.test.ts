import { beforeEach, describe, expect, it } from 'vitest';
import { fencingToken, lockName, sessionId } from '../../../shared/domain/ids.ts';
import type { SessionStanding } from '../../../src-main/services/session-keeper.ts';
import { withLock, type LockingNode } from '../../../src-main/services/with-lock.ts';
import { LocalReplica, settled } from './fakes.ts';

const name = lockName('store');
const session = sessionId('self#aa.1');
const capacity = { slots: 1, os: 'linux', arch: 'x64', memoryBytes: 1, accepts: { from: 'nobody' } } as const;
const wish = { name, label: '', wait: true };

describe('work under a lock', () => {
  let replica: LocalReplica;
  let listeners: Set<(standing: SessionStanding) => void>;
  let node: LockingNode;

  beforeEach(() => {
    replica = new LocalReplica();
    replica.apply({ type: 'session-opened', session, node: replica.self, name: 'me', ttlMs: 1_000, capacity });
    listeners = new Set();
    const onStanding = (listener: (standing: SessionStanding) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    node = { replica, keeper: { held: session, standing: 'held', onStanding } };
  });

  const holders = (): number => replica.state().locks.get(name)?.holders.length ?? 0;

  it('has the token of its grant and gives the lock back, also when it fails', async () => {
    const seen = await withLock(node, wish, async (token) => {
      expect(holders()).toBe(1);
      return token;
    });
    expect(seen).toBe(2);
    expect(holders()).toBe(0);
    await expect(withLock(node, wish, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(holders()).toBe(0);
    expect(listeners.size).toBe(0);
  });

  it('is told to stop when the lease was not renewed in time, and its answer does not count', async () => {
    const done = withLock(node, wish, async (_token, signal) => {
      for (const listener of listeners) listener('uncertain');
      expect(signal.aborted).toBe(true);
      return 'written too late';
    });
    await expect(done).rejects.toMatchObject({ failure: { code: 'precondition-failed' } });
    expect(holders()).toBe(0);
  });

  it('is told to stop when the lock is taken away', async () => {
    const done = withLock(node, wish, async (token, signal) => {
      const expectedToken = fencingToken(token);
      replica.apply({ type: 'lock-force-released', name, expectedToken, by: 'ann', reason: 'stuck' });
      expect(signal.aborted).toBe(true);
    });
    await expect(done).rejects.toMatchObject({ failure: { code: 'precondition-failed' } });
  });

  it('gives back the other locks when one of several is taken away', async () => {
    const other = lockName('other');
    const terms = { also: [other], mode: { type: 'exclusive' }, delayMs: 0, keeps: false } as const;
    const done = withLock(node, { ...wish, terms }, async (token) => {
      replica.apply({ type: 'lock-force-released', name, expectedToken: token, by: 'ann', reason: 'stuck' });
    });
    await expect(done).rejects.toMatchObject({ failure: { code: 'precondition-failed' } });
    expect(replica.state().locks.isFree(other)).toBe(true);
  });

  it('does not begin when it is given up while it waits, and leaves the line', async () => {
    const first = Promise.withResolvers<null>();
    const holding = withLock(node, wish, () => first.promise);
    await settled();
    const leaving = new AbortController();
    const waiting = withLock(node, wish, () => Promise.reject(new Error('it began')), leaving.signal);
    await settled();
    leaving.abort();
    await expect(waiting).rejects.toMatchObject({ failure: { code: 'cancelled' } });
    expect(replica.state().locks.get(name)?.waiters).toEqual([]);
    first.resolve(null);
    await holding;
  });
});
