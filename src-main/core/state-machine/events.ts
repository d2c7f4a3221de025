import type { FencingToken, JobId, LockName, NodeId, SessionId, Slot } from '../../../shared/domain/ids.ts';
import type { TaskState } from '../../../shared/domain/task.ts';
import type { KvChange } from '../kv/records.ts';
import type { LockMode, LockOwner } from '../locks/commands.ts';
import type { LockEndCause } from '../locks/records.ts';
import type { RankMove, RankPin } from '../ranks/rank-table.ts';
import type { AttemptKey } from '../tasks/commands.ts';

/** What applying one entry changed: the same list on every node that applies it. */
export type StateEvent =
  | { readonly type: 'session-opened'; readonly session: SessionId; readonly node: NodeId }
  | { readonly type: 'session-ended'; readonly session: SessionId; readonly node: NodeId; readonly expired: boolean }
  | {
      readonly type: 'lock-granted';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly token: FencingToken;
      readonly mode: LockMode;
    }
  /** A writer reads on, with the same token. */
  | {
      readonly type: 'lock-downgraded';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly token: FencingToken;
    }
  | {
      readonly type: 'lock-ended';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly token: FencingToken;
      readonly cause: LockEndCause;
      /** For how long its place stays taken; 0 when the next may have it at once. */
      readonly delayMs: number;
    }
  | { readonly type: 'lock-delay-ended'; readonly name: LockName; readonly since: Slot }
  /** All changes of one entry, which is their revision. */
  | { readonly type: 'kv-changed'; readonly changes: readonly KvChange[] }
  /** The machines whose band moved, by one each. */
  | { readonly type: 'ranks-changed'; readonly moves: readonly RankMove[] }
  | { readonly type: 'rank-pinned'; readonly node: NodeId; readonly pin: RankPin; readonly by: string }
  /** The log may use what this level brought. */
  | { readonly type: 'level-raised'; readonly level: number }
  | { readonly type: 'job-submitted'; readonly job: JobId; readonly submitter: NodeId }
  | {
      readonly type: 'attempt-assigned';
      readonly key: AttemptKey;
      readonly node: NodeId;
      readonly session: SessionId;
      readonly submitter: NodeId;
    }
  /** Its attempt is over in the log: the machine that runs it kills it; the submitter keeps or drops its outputs. */
  | {
      readonly type: 'attempt-ended';
      readonly key: AttemptKey;
      readonly node: NodeId;
      readonly session: SessionId;
      readonly submitter: NodeId;
      readonly state: TaskState;
    }
  /** A result came with a token that is no longer the task's: it changed nothing. */
  | {
      readonly type: 'result-refused';
      readonly key: AttemptKey;
      readonly session: SessionId;
      readonly submitter: NodeId;
      readonly reason: string;
    }
  | { readonly type: 'job-removed'; readonly job: JobId };
