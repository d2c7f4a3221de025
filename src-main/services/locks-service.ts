import { randomUUID } from 'node:crypto';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import { fencingToken } from '../../shared/domain/ids.ts';
import type { SkeinServices } from '../api/services.ts';
import type { EndProcesses } from '../ports/process-runner.ts';
import { GuardedProcesses } from './guarded-processes.ts';
import type { Changes } from './live-view.ts';
import { locksView } from './locks-view.ts';
import { nodeRef } from './names.ts';
import { provenanceOf } from './provenance.ts';
import { requirePeer, valueOf, type PeerHolder, type RunningPeer } from './running-peer.ts';
import { checkedLock } from './submission.ts';
import { acquireLock, type HeldLock } from './task-locks.ts';

type LocksFrame = Awaited<ReturnType<SkeinServices['locks']['list']>>;
type HoldEvent =
  | { type: 'waiting'; position: number }
  | { type: 'granted'; token: number; leaseMs: number }
  | { type: 'lost'; reason: string };
type HoldInput = Parameters<SkeinServices['locks']['hold']>[0];

const releaseWaitMs = 10_000;

/** Locks for people and scripts: each hold lives exactly as long as its caller keeps reading. */
export function createLocksService(
  holder: PeerHolder,
  changes: Changes,
  endProcesses: EndProcesses,
): SkeinServices['locks'] {
  const guarded = new GuardedProcesses(endProcesses);
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
    hold: (input, call) => hold(requirePeer(holder), input, call.signal, guarded),
    guard: async ({ name, token, pid }) => {
      if (!guarded.add(name, token, pid)) {
        throw new FailureError(
          fail(
            'precondition-failed',
            `The lock ${name} is not held here with token ${token}.`,
            'Take the lock first; end the program now.',
          ).failure,
        );
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
): AsyncGenerator<HoldEvent> {
  const session = peer.keeper.held;
  if (session === null) {
    throw new FailureError(
      fail(
        'no-coordinator',
        'This machine has no valid session now, so it can hold no lock.',
        'Wait until a coordinator is heard again.',
      ).failure,
    );
  }
  const name = checkedLock(input.name);
  const owner = `client:${randomUUID()}`;
  const timeout =
    input.waitMs === undefined ? null : AbortSignal.timeout(Math.max(1, Math.min(input.waitMs, 2_000_000_000)));
  const giveUp = timeout === null ? signal : AbortSignal.any([signal, timeout]);
  const told = Promise.withResolvers<number>();
  let held: HeldLock | null = null;
  try {
    const granting = acquireLock(
      peer.replica,
      { name, session, owner, label: input.label, wait: input.wait },
      giveUp,
      told.resolve,
    );
    const first = await Promise.race([granting, told.promise]);
    if (typeof first === 'number') yield { type: 'waiting', position: first };
    held = await granting;
    // After a cut or a sleep the news of a grant comes late: by then the lock may be another's.
    if (held.lost.aborted || peer.keeper.held !== session || peer.keeper.trustLeftMs() === 0) {
      yield { type: 'lost', reason: 'the grant came when the lease could no longer be relied on' };
      return;
    }
    guarded.open(name, held.token);
    yield { type: 'granted', token: held.token, leaseMs: peer.replica.state().sessions.get(session)?.ttlMs ?? 0 };
    const reason = await loss(peer, held, signal);
    if (reason === null) return;
    // The program dies before the holder is told: whoever is told late must not have worked on.
    await guarded.end(name, held.token, peer.keeper.graceMs);
    yield { type: 'lost', reason };
    // The caller needs a moment to stop. Until it has gone the lock is not given back, so that no other is let in.
    await aborted(signal);
  } catch (error) {
    if (timeout?.aborted === true && !signal.aborted)
      throw new FailureError(
        fail(
          'timed-out',
          `The lock ${name} was not granted within ${input.waitMs ?? 0} ms.`,
          'See who holds it with “skein lock list”.',
        ).failure,
      );
    throw error;
  } finally {
    held?.forget();
    if (held !== null) await guarded.end(name, held.token, peer.keeper.graceMs);
    const given = giveBack(peer, { name, session, owner }, held);
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
async function giveBack(
  peer: RunningPeer,
  claim: { name: ReturnType<typeof checkedLock>; session: NonNullable<RunningPeer['keeper']['held']>; owner: string },
  held: HeldLock | null,
): Promise<void> {
  if (held?.lost.aborted === true) return;
  const { name, session, owner } = claim;
  if (held === null)
    await peer.replica.propose({ type: 'lock-abandoned', name, session, owner }, { timeoutMs: releaseWaitMs });
  else
    await peer.replica.propose(
      { type: 'lock-released', name, session, token: held.token },
      { timeoutMs: releaseWaitMs },
    );
}
