import type { Failure } from '../../../shared/domain/failure.ts';
import type { FencingToken, JobId, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';
import type { AcceptPolicy } from '../../../shared/domain/member.ts';
import type { LevelCommand } from '../levels/commands.ts';
import type { Program } from '../levels/level-table.ts';
import type { KvCommand } from '../kv/commands.ts';
import type { KvAnswer } from '../kv/records.ts';
import type { LockCommand } from '../locks/commands.ts';
import type { RankCommand } from '../ranks/commands.ts';
import type { TaskCommand } from '../tasks/commands.ts';

/** What a machine offers, as it tells the swarm when its session opens. A hint: its owner's policy decides at the start. */
export interface Capacity {
  /** Tasks of one slot it runs at once; 0 runs nothing. */
  readonly slots: number;
  readonly os: string;
  readonly arch: string;
  readonly memoryBytes: number;
  readonly accepts: AcceptPolicy;
}

export type SessionCommand =
  /** Also ends every earlier session of the same node: its later boot knows that the earlier one is dead. */
  | {
      readonly type: 'session-opened';
      readonly session: SessionId;
      readonly node: NodeId;
      readonly name: string;
      readonly ttlMs: number;
      readonly capacity: Capacity;
      /** Absent in entries of programs from before the levels. */
      readonly program?: Program | undefined;
    }
  | { readonly type: 'session-renewed'; readonly session: SessionId; readonly renewal: number }
  /** Takes effect only while the session's last renewal is still this one: expiry may be late, never early. */
  | { readonly type: 'session-expired'; readonly session: SessionId; readonly renewal: number }
  | { readonly type: 'session-closed'; readonly session: SessionId }
  | { readonly type: 'capacity-changed'; readonly session: SessionId; readonly capacity: Capacity };

export type Command = SessionCommand | LevelCommand | LockCommand | KvCommand | RankCommand | TaskCommand;

/**
 * A command with the name under which it takes effect at most once (RIFL, SOSP 2015, section 4).
 * A retry carries the same `client` and `sequence`.
 */
export interface Request {
  /** One run of a node process; its proposals are numbered from 1. */
  readonly client: string;
  readonly sequence: number;
  /** Every lower sequence has been answered: their results may be forgotten. */
  readonly answeredBelow: number;
  readonly command: Command;
}

/** What applying a command answers, kept for as long as its client may ask again. */
export type CommandResult =
  | { readonly type: 'done' }
  | { readonly type: 'job-accepted'; readonly job: JobId }
  | { readonly type: 'lock-granted'; readonly token: FencingToken }
  /** `position` counts from 1. */
  | { readonly type: 'lock-waiting'; readonly position: number }
  /** `succeeded`: every comparison held. One answer per operation of the branch taken; changes have this revision. */
  | {
      readonly type: 'kv-transacted';
      readonly revision: Slot;
      readonly succeeded: boolean;
      readonly answers: readonly KvAnswer[];
    }
  | { readonly type: 'tasks-changed'; readonly count: number }
  | { readonly type: 'refused'; readonly failure: Failure };

/** A request as it stands in the log. `at` is the proposer's wall clock, for people to read. */
export interface LoggedRequest {
  readonly request: Request;
  readonly at: WallTime;
}
