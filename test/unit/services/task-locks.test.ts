import { beforeEach, describe, expect, it } from 'vitest';
import { fencingToken, lockName, sessionId } from '../../../shared/domain/ids.ts';
import { acquireLock } from '../../../src-main/services/task-locks.ts';
import { LocalReplica, settled } from './fakes.ts';

const name = lockName('store');
const session = sessionId('self#aa.1');
const capacity = { slots: 1, os: 'linux', arch: 'x64', memoryBytes: 1, accepts: { from: 'nobody' } } as const;

describe('acquiring a lock', () => {
  let replica: LocalReplica;
  const wish = (owner: string, wait = true) => ({ name, session, owner, label: '', wait });
  const never = new AbortController().signal;
  const ignore = (): void => undefined;

  beforeEach(() => {
    replica = new LocalReplica();
    replica.apply({ type: 'session-opened', session, node: replica.self, name: 'me', ttlMs: 1_000, capacity });
  });

  it('is granted at once when the lock is free, with the slot as its token', async () => {
    const held = await acquireLock(replica, wish('one'), never, ignore);
    expect(held.token).toBe(2);
    expect(held.lost.aborted).toBe(false);
  });

  it('waits in line and is granted when the holder lets go', async () => {
    const first = await acquireLock(replica, wish('one'), never, ignore);
    const positions: number[] = [];
    const second = acquireLock(replica, wish('two'), never, (position) => positions.push(position));
    await settled();
    expect(positions).toEqual([1]);
    replica.apply({ type: 'lock-released', name, session, token: first.token });
    expect((await second).token).toBe(4);
  });

  it('does not miss a grant that follows its answer before anyone has read that', async () => {
    const first = await acquireLock(replica, wish('one'), never, ignore);
    const second = acquireLock(replica, wish('two'), never, ignore);
    replica.apply({ type: 'lock-released', name, session, token: first.token });
    expect((await second).token).toBeGreaterThan(first.token);
  });

  it('tells its holder when the lock is taken away', async () => {
    const held = await acquireLock(replica, wish('one'), never, ignore);
    replica.apply({
      type: 'lock-force-released',
      name,
      expectedToken: fencingToken(held.token),
      by: 'someone',
      reason: 'test',
    });
    expect(held.lost.aborted).toBe(true);
  });

  it('fails when the lock is held and the asker does not wait, and when it gives up', async () => {
    await acquireLock(replica, wish('one'), never, ignore);
    await expect(acquireLock(replica, wish('two', false), never, ignore)).rejects.toMatchObject({
      failure: { code: 'precondition-failed' },
    });
    const leaving = new AbortController();
    const waiting = acquireLock(replica, wish('three'), leaving.signal, ignore);
    await settled();
    leaving.abort();
    await expect(waiting).rejects.toMatchObject({ failure: { code: 'cancelled' } });
  });
});
