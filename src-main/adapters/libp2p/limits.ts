/** Bounds and times of the network, each with its reason. */
import { frameBytesMax } from '../../core/machine/limits.ts';

/** Frames waiting for one slow peer. Past it frames are dropped, which every protocol above survives. */
export const frameQueueBytesMax = frameBytesMax + 8 * 1_024 * 1_024;
/** Small frames are joined up to about this size before they are sent. */
export const frameBatchBytes = 256 * 1_024;

/** Larger chunks gain nothing over TCP and make streams wait for each other. */
export const chunkBytesMax = 64 * 1_024;
/** A stream stops reading above the first and goes on below the second. */
export const readBufferBytesMax = 512 * 1_024;
export const readBufferBytesLow = 128 * 1_024;
/** Above this window, bytes already on their way overrun the 4 MiB buffer of a paused stream, which is then reset. */
export const streamWindowBytesMax = 1_024 * 1_024;
/** Exchanges open at once per connection; the library's 32 would reset a busy submitter's streams silently. */
export const exchangesPerPeerMax = 256;
export const serviceNameBytesMax = 64;
export const openTimeoutMs = 10_000;
/** A writer that makes no progress for this long faces a dead or stuck reader. */
export const writeStallMs = 60_000;
export const headerTimeoutMs = 10_000;

export const dialTimeoutMs = 5_000;
/** A dead address in the same network otherwise costs 3 s, one after another. */
export const addressDialTimeoutMs = 2_000;
export const dialsAtOnceMax = 8;
export const dialBackoffMinMs = 200;
export const dialBackoffMaxMs = 10_000;
/** The side with the larger id waits this long for the other to dial, so that a pair makes one connection. */
export const dialCourtesyMs = 400;
export const addressesPerPeerMax = 16;
export const addressCharsMax = 200;

/** One membership exchange: the set itself and a bounded list of addresses. */
export const syncBytesMax = 6 * 1_024 * 1_024;
export const syncTimeoutMs = 15_000;

export const gossipBytesMax = 64 * 1_024;
export const hashTableValueBytesMax = 8 * 1_024;
export const hashTableTimeoutMs = 5_000;
export const pingTimeoutMs = 5_000;
/** Between looks whether the other ends of connections still answer, and how long an answer may take. */
export const livenessEveryMs = 5_000;
export const livenessTimeoutMs = 5_000;
