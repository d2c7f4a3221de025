import type { FencingToken, JobId, LockName, NodeId, SessionId } from '../../../shared/domain/ids.ts';
import type { TaskState } from '../../../shared/domain/task.ts';
import type { KvChange } from '../kv/records.ts';
import type { LockOwner } from '../locks/commands.ts';
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
    }
  | {
      readonly type: 'lock-ended';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly token: FencingToken;
      readonly cause: 'released' | 'forced' | 'session-ended' | 'attempt-ended';
    }
  /** All changes of one entry, which is their revision. */
  | { readonly type: 'kv-changed'; readonly changes: readonly KvChange[] }
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
