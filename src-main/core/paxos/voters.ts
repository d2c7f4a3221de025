import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import { majority } from '../machine/quorum.ts';

/** A seat: a machine together with the incarnation of its state directory, so that a wiped disk is another voter. */
export interface Voter {
  readonly node: NodeId;
  /** Minted when the state directory was created. */
  readonly incarnation: string;
  /** Higher ranks are preferred as coordinator. Fixed within a configuration. */
  readonly rank: number;
}

/** Where an epoch that was ended by a forced new quorum stopped counting. */
export interface EpochCut {
  readonly epoch: number;
  readonly lastSlot: Slot;
}

/** The voters of a stretch of the log: from `firstSlot` to the stop-sign that ends it. */
export interface VoterConfig {
  readonly epoch: number;
  readonly id: number;
  readonly firstSlot: Slot;
  readonly voters: readonly Voter[];
  /** The epochs before this one, in order. */
  readonly cuts: readonly EpochCut[];
}

/** 1, 3 or 5: an even number needs one more machine up and survives no more losses. */
export const voterCounts: readonly number[] = [1, 3, 5];

/** Whether a configuration may have these voters: an allowed number of them, and each machine once. */
export const mayVote = (voters: readonly Voter[]): boolean =>
  voterCounts.includes(voters.length) && new Set(voters.map(({ node }) => node)).size === voters.length;

export const quorumOf = (config: VoterConfig): number => majority(config.voters.length);

export const voterIn = (config: VoterConfig, node: NodeId): Voter | undefined =>
  config.voters.find((voter) => voter.node === node);

export const hasSeat = (config: VoterConfig, node: NodeId, incarnation: string): boolean =>
  voterIn(config, node)?.incarnation === incarnation;
