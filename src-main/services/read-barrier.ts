import type { Slot } from '../../shared/domain/ids.ts';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { RunningPeer } from './running-peer.ts';
import { valueOf } from './running-peer.ts';

/** A question that finds no coordinator within this is answered with a failure. */
const readWaitMs = 10_000;

/**
 * Waits until this machine's state holds everything that was chosen before the call: then a read of it is
 * linearizable. Throws `no-coordinator` or `unknown-outcome` when no quorum answers in time.
 */
export async function readBarrier(peer: RunningPeer, signal: AbortSignal): Promise<Slot> {
  const passed = valueOf(
    await peer.replica.propose(
      { type: 'kv-transacted', by: peer.self, compares: [], thenOperations: [], elseOperations: [] },
      { signal, timeoutMs: readWaitMs },
    ),
  );
  if (passed.type === 'kv-transacted') return passed.revision;
  throw new FailureError(fail('internal', `a read was answered with ${passed.type}`).failure);
}
