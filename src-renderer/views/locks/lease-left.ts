import type { Lock } from '../../../shared/contract/locks.ts';
import type { Holder } from './kinds.ts';

export type LeaseLeft =
  | { readonly state: 'none' }
  | { readonly state: 'unknown' }
  /** It outlives its session: no lease counts down for it. */
  | { readonly state: 'kept' }
  | { readonly state: 'counting'; readonly leftMs: number; readonly share: number; readonly approximate: boolean };

/**
 * What is left of a holder's lease: what the coordinator last said, less the monotonic time since. Without a
 * coordinator the countdown stops, because whoever cannot hear it cannot know that the lease was renewed.
 */
export function leaseLeft(options: {
  readonly lock: Lock;
  /** The first one, unless another is named. */
  readonly holder?: Holder | null | undefined;
  readonly receivedAtMs: number;
  readonly frameAgeMs: number;
  readonly nowMs: number;
  readonly heard: boolean;
}): LeaseLeft {
  const holder = options.holder ?? options.lock.holder;
  if (holder === null) return { state: 'none' };
  if (holder.keeps) return { state: 'kept' };
  if (!options.heard || options.lock.state === 'uncertain' || holder.leaseLeftMs === null) return { state: 'unknown' };
  const sinceMs = Math.max(0, options.nowMs - options.receivedAtMs);
  const leftMs = Math.max(0, holder.leaseLeftMs - sinceMs);
  const share = holder.leaseMs <= 0 ? 0 : Math.min(1, leftMs / holder.leaseMs);
  return { state: 'counting', leftMs, share, approximate: options.frameAgeMs + sinceMs > 1_500 };
}
