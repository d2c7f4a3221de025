import { randomUUID } from 'node:crypto';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { FencingToken } from '../../shared/domain/ids.ts';
import type { Replica } from './replica.ts';
import type { SessionKeeper } from './session-keeper.ts';
import { acquireLock, namesOf, type HeldLock, type LockWish } from './task-locks.ts';

export interface LockingNode {
  readonly replica: Replica;
  readonly keeper: Pick<SessionKeeper, 'held' | 'standing' | 'onStanding'>;
}

const releaseWaitMs = 10_000;

/**
 * Runs `work` under a lock and gives the lock back. Each write of the work shows `token` to what the lock protects;
 * its signal aborts when the lock is taken away, and as soon as the lease was not renewed for 60 % of its time by the
 * faster of both clocks: whoever goes on after that writes without a lock. Throws what the work throws;
 * `precondition-failed` when the lock was lost before it ended, whatever it answered; `no-coordinator` without a session;
 * and what `acquireLock` throws.
 */
export async function withLock<Value>(
  { replica, keeper }: LockingNode,
  wish: Omit<LockWish, 'session' | 'owner'>,
  work: (token: FencingToken, signal: AbortSignal) => Promise<Value>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Value> {
  const session = keeper.held;
  if (session === null) throw new FailureError(noSession);
  const claim: LockWish = { ...wish, session, owner: `client:${randomUUID()}` };
  let held: HeldLock | null = null;
  const lost = new AbortController();
  const stopWatching = keeper.onStanding((standing) => {
    if (standing !== 'held') lost.abort('the lease could not be renewed in time: it may be over');
  });
  try {
    held = await acquireLock(replica, claim, AbortSignal.any([signal, lost.signal]), () => undefined);
    const over = AbortSignal.any([held.lost, lost.signal]);
    // A grant that comes late, after a cut or a sleep, may be another's by now.
    if (keeper.held !== session) lost.abort('the grant came when the lease could no longer be relied on');
    if (over.aborted) throw new FailureError(lostLock(wish.name, over));
    const value = await work(held.token, AbortSignal.any([signal, over]));
    if (over.aborted) throw new FailureError(lostLock(wish.name, over));
    return value;
  } finally {
    stopWatching();
    held?.forget();
    await giveBack(replica, claim, held);
  }
}

/** What cannot be proposed now ends with the session. */
async function giveBack(replica: Replica, claim: LockWish, held: HeldLock | null): Promise<void> {
  const { session, owner } = claim;
  const names = namesOf(claim);
  if (held !== null && !held.lost.aborted) {
    const { token } = held;
    await replica.propose({ type: 'locks-released', session, owner, names, token }, { timeoutMs: releaseWaitMs });
    return;
  }
  // Of several locks one may have been taken away: the others are given back one by one.
  await Promise.all(
    names.map((name) =>
      replica.propose({ type: 'lock-abandoned', name, session, owner }, { timeoutMs: releaseWaitMs }),
    ),
  );
}

const noSession = fail(
  'no-coordinator',
  'This machine has no valid session now, so it can hold no lock.',
  'Wait until a coordinator is heard again.',
).failure;

const lostLock = (name: string, over: AbortSignal) =>
  fail(
    'precondition-failed',
    `The lock ${name} was lost before the work under it ended: ${String(over.reason)}`,
    'Whatever it wrote without showing its token may be written over. Look before you repeat it.',
  ).failure;
