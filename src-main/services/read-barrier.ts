import type { Slot } from '../../shared/domain/ids.ts';
import { valueOf, type RunningPeer } from './running-peer.ts';

/** A question that finds no quorum within this is answered with a failure. */
const readWaitMs = 10_000;

/**
 * Waits until this machine's state holds everything that was chosen before the call: then a read of it, without
 * waiting again, is linearizable. Throws `no-coordinator` or `timed-out` when no quorum answers in time.
 */
export async function readBarrier(peer: RunningPeer, signal: AbortSignal): Promise<Slot> {
  return valueOf(await peer.replica.readIndex(AbortSignal.any([signal, AbortSignal.timeout(readWaitMs)])));
}
