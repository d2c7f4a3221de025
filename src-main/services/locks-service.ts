import { randomUUID } from 'node:crypto';
import { FailureError, fail, type Failure } from '../../shared/domain/failure.ts';
import { fencingToken, type LockName, type SessionId } from '../../shared/domain/ids.ts';
import type { SkeinServices } from '../api/services.ts';
import type { LockCommand } from '../core/locks/commands.ts';
import type { EndProcesses } from '../ports/process-runner.ts';
import { GuardedProcesses } from './guarded-processes.ts';
import type { Changes } from './live-view.ts';
import { lockView, locksView } from './locks-view.ts';
import { nodeRef } from './names.ts';
import { provenanceOf } from './provenance.ts';
import { requirePeer, valueOf, type PeerHolder, type RunningPeer } from './running-peer.ts';
import { checkedLock } from './submission.ts';
import { acquireLock, namesOf, type HeldLock, type LockWish } from './task-locks.ts';

type LocksFrame = Awaited<ReturnType<SkeinServices['locks']['list']>>;
type HoldEvent =
  | { type: 'waiting'; position: number }
  | { type: 'granted'; token: number; leaseMs: number }
  | { type: 'lost'; reason: string };
type HoldInput = Parameters<SkeinServices['locks']['hold']>[0];

/** Who holds what through this node, by token and name. */
type Holds = Map<string, { readonly session: SessionId; readonly owner: string }>;

const releaseWaitMs = 10_000;
/** A caller that was told of a loss has this long to stop and hang up. */
const callerStopsMs = 10_000;

/** Locks for people and scripts: each hold lives exactly as long as its caller keeps reading. */
export function createLocksService(
  holder: PeerHolder,
  changes: Changes,
  endProcesses: EndProcesses,
): SkeinServices['locks'] {
  const guarded = new GuardedProcesses(endProcesses);
  const holds: Holds = new Map();
  const listed = (): LocksFrame => {
    const peer = requirePeer(holder);
    return { sequence: changes.sequence, provenance: provenanceOf(peer), view: locksView(peer) };
  };
  const nothing = (): LocksFrame => ({
    sequence: changes.sequence,
    provenance: provenanceOf(null),
    view: { locks: [] },
  });
  return {
    list: async () => listed(),
    watch: (call) => changes.watch(() => (holder.current === null ? nothing() : listed()), call.signal),
    show: async ({ name }) => {
      const peer = requirePeer(holder);
      const lock = peer.replica.state().locks.get(checkedLock(name));
      if (lock === null) throw new FailureError(noSuchLock(name));
      return { sequence: changes.sequence, provenance: provenanceOf(peer), view: lockView(peer, lock) };
    },
    hold: (input, call) => hold(requirePeer(holder), input, call.signal, guarded, holds),
    acquire: (input, { signal }) => acquireKept(requirePeer(holder), input, signal),
    release: async ({ names, token }) => {
      const peer = requirePeer(holder);
      const session = heldSession(peer);
      valueOf(
        await peer.replica.propose({
          type: 'locks-released',
          session,
          owner: 'release',
          names: names.map(checkedLock),
          token: fencingToken(token),
        }),
      );
      return { released: true };
    },
    downgrade: async ({ name, token }) => {
      const peer = requirePeer(holder);
      const claim = holds.get(`${token} ${name}`);
      if (claim === undefined) throw new FailureError(notHeldHere(name, token));
      valueOf(
        await peer.replica.propose({
          type: 'lock-downgraded',
          name: checkedLock(name),
          ...claim,
          token: fencingToken(token),
        }),
      );
      return { downgraded: true };
    },
    guard: async ({ name, token, pid }) => {
      if (!guarded.add(name, token, pid)) {
        throw new FailureError(notHeldHere(name, token));
      }
      return { guarded: true };
    },
    forceRelease: async ({ name, token, reason }) => {
      const peer = requirePeer(holder);
      const by = nodeRef(peer.membership, peer.self).name;
      valueOf(
        await peer.replica.propose({
          type: 'lock-force-released',
          name: checkedLock(name),
          expectedToken: fencingToken(token),
          by,
          reason,
        }),
      );
      return { released: true };
    },
  };
}

async function* hold(
  peer: RunningPeer,
  input: HoldInput,
  signal: AbortSignal,
  guarded: GuardedProcesses,
  holds: Holds,
): AsyncGenerator<HoldEvent> {
  const wish = wishOf(peer, input, input.wait, false);
  const { name, session, owner } = wish;
  const timeout = input.waitMs === undefined ? null : timeoutAfter(input.waitMs);
  const giveUp = timeout === null ? signal : AbortSignal.any([signal, timeout]);
  const told = Promise.withResolvers<number>();
  let held: HeldLock | null = null;
  try {
    const granting = acquireLock(peer.replica, wish, giveUp, told.resolve);
    const first = await Promise.race([granting, told.promise]);
    if (typeof first === 'number') yield { type: 'waiting', position: first };
    held = await granting;
    // After a cut or a sleep the news of a grant comes late: by then the lock may be another's.
    if (held.lost.aborted || peer.keeper.held !== session || peer.keeper.trustLeftMs() === 0) {
      yield { type: 'lost', reason: 'the grant came when the lease could no longer be relied on' };
      return;
    }
    guarded.open(name, held.token);
    holds.set(`${held.token} ${name}`, { session, owner });
    yield { type: 'granted', token: held.token, leaseMs: peer.replica.state().sessions.get(session)?.ttlMs ?? 0 };
    const reason = await loss(peer, held, signal);
    if (reason === null) return;
    // The program dies before the holder is told: whoever is told late must not have worked on.
    await guarded.end(name, held.token, peer.keeper.graceMs);
    yield { type: 'lost', reason };
    // The caller needs a moment to stop. Until it has gone the lock is not given back, so that no other is let in.
    await aborted(AbortSignal.any([signal, timeoutAfter(callerStopsMs)]));
  } catch (error) {
    if (timeout?.aborted === true && !signal.aborted) throw new FailureError(notInTime(name, input.waitMs ?? 0));
    throw error;
  } finally {
    held?.forget();
    if (held !== null) {
      holds.delete(`${held.token} ${name}`);
      await guarded.end(name, held.token, peer.keeper.graceMs);
    }
    const given = giveBack(peer, wish, held);
    // Without a coordinator the release waits in line by itself; the caller is not kept for it.
    if (peer.keeper.standing === 'held') await given;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });

/** Takes a lock for good; whoever gives up waiting takes nothing. */
async function acquireKept(
  peer: RunningPeer,
  input: Parameters<SkeinServices['locks']['acquire']>[0],
  signal: AbortSignal,
): Promise<{ token: number; names: string[] }> {
  const wish = wishOf(peer, input, input.waitMs > 0, true);
  const timeout = timeoutAfter(Math.max(input.waitMs, releaseWaitMs));
  try {
    const held = await acquireLock(peer.replica, wish, AbortSignal.any([signal, timeout]), () => undefined);
    held.forget();
    return { token: held.token, names: namesOf(wish).map(String) };
  } catch (error) {
    await giveBack(peer, wish, null);
    if (timeout.aborted && !signal.aborted) throw new FailureError(notInTime(input.name, input.waitMs));
    throw error;
  }
}

function wishOf(peer: RunningPeer, input: Omit<HoldInput, 'wait' | 'waitMs'>, wait: boolean, keeps: boolean): LockWish {
  const { permits, delayMs, label } = input;
  return {
    name: checkedLock(input.name),
    session: heldSession(peer),
    owner: `client:${randomUUID()}`,
    label,
    wait,
    terms: {
      also: input.also.map(checkedLock),
      mode: input.mode === 'permit' ? { type: 'permit', permits } : { type: input.mode },
      delayMs,
      keeps,
    },
  };
}

function heldSession(peer: RunningPeer): SessionId {
  const session = peer.keeper.held;
  if (session !== null) return session;
  throw new FailureError(
    fail(
      'no-coordinator',
      'This machine has no valid session now, so it can hold no lock.',
      'Wait until a coordinator is heard again.',
    ).failure,
  );
}

const timeoutAfter = (waitMs: number): AbortSignal => AbortSignal.timeout(Math.max(1, Math.min(waitMs, 2_000_000_000)));

const notInTime = (name: string, waitMs: number): Failure =>
  fail('timed-out', `The lock ${name} was not granted within ${waitMs} ms.`, 'See who holds it with “skein lock list”.')
    .failure;

const notHeldHere = (name: string, token: number): Failure =>
  fail(
    'precondition-failed',
    `The lock ${name} is not held here with token ${token}.`,
    'Take the lock first; end the program now.',
  ).failure;

const noSuchLock = (name: string): Failure =>
  fail('not-found', `Nobody has used the lock ${name} lately.`, 'See all of them with “skein lock list”.').failure;

/** Resolves with why the lock may no longer be relied on; null when the caller is gone. */
function loss(peer: RunningPeer, held: HeldLock, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const settle = (reason: string | null): void => {
      stopWatching();
      signal.removeEventListener('abort', gone);
      held.lost.removeEventListener('abort', taken);
      resolve(reason);
    };
    const gone = (): void => settle(null);
    const taken = (): void => settle(String(held.lost.reason));
    const stopWatching = peer.keeper.onStanding((standing) => {
      if (standing !== 'held') settle('the lease could not be renewed in time: it may be over');
    });
    signal.addEventListener('abort', gone, { once: true });
    held.lost.addEventListener('abort', taken, { once: true });
    if (signal.aborted) gone();
    else if (held.lost.aborted) taken();
    else if (peer.keeper.standing !== 'held') settle('the lease could not be renewed in time: it may be over');
  });
}

/** Releases a grant, or a wait that may yet become one. What cannot be proposed now ends with the session. */
async function giveBack(peer: RunningPeer, wish: LockWish, held: HeldLock | null): Promise<void> {
  const { session, owner } = wish;
  const names = namesOf(wish);
  const isLost = held?.lost.aborted === true;
  if (isLost && names.length === 1) return;
  const command = (name: LockName): LockCommand => ({ type: 'lock-abandoned', name, session, owner });
  // Of several locks one may have been taken away: the others are given back one by one.
  const commands: readonly LockCommand[] =
    held === null || isLost
      ? names.map(command)
      : [{ type: 'locks-released', session, owner, names, token: held.token }];
  await Promise.all(commands.map((each) => peer.replica.propose(each, { timeoutMs: releaseWaitMs })));
}
