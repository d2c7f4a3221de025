import type { WallTime } from '../../shared/domain/ids.ts';
import type { Instant } from '../core/machine/time.ts';

/** Time as one machine sees it. */
export interface Clock {
  /** Never goes back while the process lives. May or may not advance while the machine sleeps. */
  now(): Instant;
  /** For people, and to notice jumps. May go anywhere. */
  wall(): WallTime;
  /** Calls `fire` once, no earlier than `afterMs` from now, never from within this call. Returns its cancellation. */
  setTimer(afterMs: number, fire: () => void): () => void;
}
