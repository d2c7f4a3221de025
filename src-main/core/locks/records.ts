import type { FencingToken, LockName, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';
import type { LockMode, LockOwner } from './commands.ts';

/** Former holders remembered per lock. */
export const lockHistoryMax = 20;

export const lockEndCauses = ['released', 'forced', 'session-ended', 'attempt-ended'] as const;
export type LockEndCause = (typeof lockEndCauses)[number];

/** Who asked: a session on a machine, and the owner within it. `label` says what for. */
export interface LockClaim {
  readonly session: SessionId;
  readonly node: NodeId;
  readonly owner: LockOwner;
  readonly label: string;
}

/** What holds for a claim on one lock, waiting or granted. */
export interface LockTerms {
  readonly mode: LockMode;
  readonly delayMs: number;
  /** Outlives its session. */
  readonly keeps: boolean;
}

export interface LockHolder extends LockClaim, LockTerms {
  /** The slot of the grant. Readers that came in together share it. */
  readonly token: FencingToken;
  readonly since: WallTime;
}

export interface LockWaiter extends LockClaim, LockTerms {
  readonly since: WallTime;
  /** Everything it asks for together, this lock included; sorted. */
  readonly names: readonly LockName[];
}

/** A holder that lost the lock without giving it back: its place stays taken until the delay is over. */
export interface LockDelay {
  readonly holder: LockHolder;
  /** The slot of the loss: names the delay. */
  readonly since: Slot;
  readonly at: WallTime;
  readonly delayMs: number;
}

/** One holder from grant to end; `endedAt` and `cause` are null while it holds. */
export interface LockTenure extends LockClaim {
  readonly mode: LockMode;
  readonly token: FencingToken;
  readonly grantedAt: WallTime;
  readonly endedAt: WallTime | null;
  readonly cause: LockEndCause | null;
  /** Who took it by force and why; empty otherwise. */
  readonly remark: string;
}

export interface Lock {
  readonly name: LockName;
  /** In the order of their grants. */
  readonly holders: readonly LockHolder[];
  readonly delays: readonly LockDelay[];
  /** First come, first served. */
  readonly waiters: readonly LockWaiter[];
  /** Newest first, at most `lockHistoryMax`. */
  readonly history: readonly LockTenure[];
}

/** What a change did, in order: an end comes before the grant that follows from it. */
export type LockChange =
  | { readonly type: 'granted'; readonly name: LockName; readonly holder: LockHolder }
  | { readonly type: 'downgraded'; readonly name: LockName; readonly holder: LockHolder }
  | {
      readonly type: 'ended';
      readonly name: LockName;
      readonly holder: LockHolder;
      readonly cause: LockEndCause;
      /** Milliseconds for which its place stays taken; 0 when the next may have it at once. */
      readonly delayMs: number;
    };

export type LockAnswer =
  | { readonly type: 'granted'; readonly token: FencingToken; readonly changes: readonly LockChange[] }
  | { readonly type: 'waiting'; readonly position: number };

/** When something happens: the slot orders, the wall time is for people. */
export interface LockMoment {
  readonly slot: Slot;
  readonly at: WallTime;
}

interface Claimant {
  readonly session: SessionId;
  readonly owner: LockOwner;
}

export const isSameClaim = (left: Claimant, right: Claimant): boolean =>
  left.owner === right.owner && left.session === right.session;
