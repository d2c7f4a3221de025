import type { Slot } from '../../shared/domain/ids.ts';
import { valueOf, type RunningPeer } from './running-peer.ts';

/**
 * Waits until this machine's state holds everything that was chosen before the call: then a read of it, without
 * waiting again, is linearizable. Throws `no-coordinator` or `timed-out` when no quorum answers in time.
 */
export const readBarrier = async (peer: RunningPeer, signal: AbortSignal): Promise<Slot> =>
  valueOf(await peer.replica.readIndex(signal));
