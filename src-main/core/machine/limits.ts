/** Every queue, buffer and length that core bounds, with the reason for its number. */

/** Slots a proposer keeps in flight. At 0.1 to 20 ms per round, 1,024 keep any disk and LAN busy. */
export const slotsInFlightMax = 1_024;

/**
 * Estimated bytes a proposer keeps in flight; one entry may pass it alone. What is voted for and not chosen goes into
 * one promise, so this keeps an election after a burst of large values within a frame.
 */
export const bytesInFlightMax = 2 * 1_024 * 1_024;

/** Estimated bytes of requests in one message to the coordinator. */
export const bytesPerProposalMax = 1_024 * 1_024;

/** One frame between nodes. A promise of an acceptor that lags by a full window of large values is the longest there is. */
export const frameBytesMax = 32 * 1_024 * 1_024;

/** How far past its own commit index an acceptor votes: twice the window, so that a promise stays bounded. */
export const votesAheadMax = 2 * slotsInFlightMax;

/** Requests a coordinator holds while the window is full; more are refused as `limit-reached`. */
export const pendingRequestsMax = 20_000;

/** Requests one node keeps unanswered; more are refused before they leave. Bounds the de-duplication table too. */
export const outstandingRequestsMax = 4_096;

/** Linearizable reads one node keeps unanswered; more fail at once. */
export const outstandingReadsMax = 4_096;

/** Clients remembered for de-duplication. One per node process; the one unused for longest goes first. */
export const clientsMax = 1_000;

/** Entries in one accept or learn message: keeps a frame well under its byte limit. */
export const entriesPerMessageMax = 256;

/** Characters of a snapshot in one message. */
export const snapshotChunkCharsMax = 256 * 1_024;

/** Entries between snapshots, and kept behind one for members that lag a little. */
export const entriesPerSnapshot = 10_000;
/** Or their estimated bytes, if those come first. */
export const bytesPerSnapshot = 8 * 1_024 * 1_024;
export const entriesKeptBehindSnapshot = 5_000;

/** Entries between the slots at which machines compare their logs and states, and how many such slots each remembers. */
export const entriesPerCheckpoint = 1_000;
export const checkpointsKept = 16;
/** Records of the state in one comparison, so that it takes a few milliseconds; a larger state is gone through in turns. */
export const recordsPerCheckpoint = 2_000;

/** Log entry sizes, in UTF-8 bytes: argv and env of a job, one environment value, a reason. */
export const jobSpecBytesMax = 64 * 1_024;
export const reasonCharsMax = 400;

/** Tasks in one job, and jobs remembered; the oldest finished job goes when one more arrives. */
export const tasksPerJobMax = 100_000;
export const jobsMax = 1_000;

/** Assignments, progress notes or results in one log entry. */
export const tasksPerCommandMax = 256;

/** Attempts remembered per task; the first one and the latest are kept. */
export const attemptsKeptMax = 8;

/** Waiters on one lock, holders of one, names in one request, and locks held or waited for at all. */
export const waitersPerLockMax = 1_000;
export const holdersPerLockMax = 1_000;
export const locksPerRequestMax = 16;
export const locksMax = 10_000;

/** How long after an invalidation nobody takes the place of the one that lost it: its work may not have ended yet. */
export const lockDelayDefaultMs = 15_000;
export const lockDelayMaxMs = 3_600_000;

/** Key-value: one key and one value. Small, because every machine keeps and sends all of them. */
export const kvKeyCharsMax = 512;
export const kvValueBytesMax = 16 * 1_024;

/** Key-value in all: keys, and the UTF-8 bytes of keys and values. A snapshot writes them as text within one step. */
export const kvKeysMax = 100_000;
export const kvBytesMax = 32 * 1_024 * 1_024;

/** Keys that end with one session: they all go in one entry. */
export const kvKeysPerSessionMax = 1_000;

/** One transaction: comparisons, operations of a branch, and UTF-8 bytes in all, as many as a job may have. */
export const kvStepsPerTransactionMax = 64;
export const kvTransactionBytesMax = 64 * 1_024;

/** Changes kept for watchers, by count and by bytes; a watch that begins before the oldest one is refused. */
export const kvChangesKeptMax = 10_000;
export const kvChangesBytesMax = 16 * 1_024 * 1_024;

/** Members in a swarm. Built and tested for 50. */
export const membersMax = 500;
