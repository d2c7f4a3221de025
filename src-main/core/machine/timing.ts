/** Timers of a node, in milliseconds, for a LAN. Tests and the command line may shorten them. */
export interface NodeTiming {
  /** Between a coordinator's signs of life. */
  readonly heartbeatMs: number;
  /** Silence after which a coordinator is suspected. */
  readonly suspectMs: number;
  /** How long a candidate waits for answers in each step of the election. */
  readonly answerMs: number;
  /** How long phase 1 may take before the candidate starts over. */
  readonly tryMs: number;
  /** A coordinator that no quorum has answered for this long steps down. */
  readonly quorumMs: number;
  /** Machines that wait for nothing hear this much later, or with the next entries, that entries are chosen. */
  readonly commitNewsMs: number;
  /** An unanswered request is sent again after this. */
  readonly retryMs: number;
  /** Between looks for work to place and voters to change. */
  readonly placementMs: number;
  /** Between looks for sessions that are overdue. */
  readonly sessionsMs: number;
  /** A learner that has answered for this long without a gap may take a seat that is free. */
  readonly voterSettleMs: number;
  /** A voter that is silent for this long loses its seat where one more silence would stop everything. */
  readonly voterSilentMs: number;
  /** `voterSettleMs` for the seat of a machine that is only silent, and for the step to five voters. */
  readonly voterStableMs: number;
}

export const lanTiming: NodeTiming = {
  heartbeatMs: 300,
  suspectMs: 1_500,
  answerMs: 400,
  tryMs: 1_000,
  quorumMs: 1_800,
  commitNewsMs: 10,
  retryMs: 1_000,
  placementMs: 1_000,
  sessionsMs: 500,
  voterSettleMs: 900,
  voterSilentMs: 10_000,
  voterStableMs: 600_000,
};
