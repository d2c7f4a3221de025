import { compareText, type NodeId } from '../../../shared/domain/ids.ts';

/**
 * Orders attempts to lead: by swarm epoch, configuration, round, rank, voter, in that order.
 * Unique by construction: a voter never uses a round twice, because it persists its own promise first.
 */
export interface Ballot {
  /** Raised only by a forced new quorum. */
  readonly epoch: number;
  /** The configuration whose voters may promise it. */
  readonly config: number;
  readonly round: number;
  readonly rank: number;
  readonly voter: NodeId;
}

export function compareBallots(left: Ballot, right: Ballot): number {
  return (
    left.epoch - right.epoch ||
    left.config - right.config ||
    left.round - right.round ||
    left.rank - right.rank ||
    compareText(left.voter, right.voter)
  );
}

export const sameBallot = (left: Ballot | null, right: Ballot | null): boolean =>
  left === right || (left !== null && right !== null && compareBallots(left, right) === 0);

export const showBallot = (ballot: Ballot): string =>
  `${ballot.epoch}.${ballot.config}.${ballot.round}.${ballot.rank}.${ballot.voter.slice(-6)}`;
