import type { ContentHash, FencingToken, JobId, NodeId, SessionId } from '../../../shared/domain/ids.ts';
import type { AttemptOutcome, JobSpec } from '../../../shared/domain/task.ts';

export interface Assignment {
  readonly job: JobId;
  readonly index: number;
  /** The number this attempt gets: one above the task's last. */
  readonly attempt: number;
  readonly node: NodeId;
  readonly session: SessionId;
  readonly reason: string;
}

/** Names one attempt of one task; `token` is the slot of its assignment. */
export interface AttemptKey {
  readonly job: JobId;
  readonly index: number;
  readonly attempt: number;
  readonly token: FencingToken;
}

/** Output files of an attempt, as the submitter verified and stored them. */
export interface OutputSummary {
  /** The document that lists the files: a JSON array of StagedFile. */
  readonly manifest: ContentHash;
  readonly fileCount: number;
  readonly bytes: number;
}

export interface AttemptResult extends AttemptKey {
  readonly outcome: AttemptOutcome;
  readonly outputs: OutputSummary | null;
}

export interface AttemptProgress extends AttemptKey {
  readonly state: 'fetching' | 'running' | 'uploading';
}

export type TaskCommand =
  | {
      readonly type: 'job-submitted';
      readonly submitter: NodeId;
      readonly spec: JobSpec;
      readonly taskCount: number;
      readonly manifest: ContentHash;
    }
  /** Each is checked on its own: the task still waits, the session is alive, the attempt number is the next. */
  | { readonly type: 'tasks-assigned'; readonly assignments: readonly Assignment[] }
  | { readonly type: 'attempts-progressed'; readonly session: SessionId; readonly changes: readonly AttemptProgress[] }
  | { readonly type: 'attempts-finished'; readonly session: SessionId; readonly results: readonly AttemptResult[] }
  /** `indices` null means the whole job. */
  | {
      readonly type: 'tasks-cancelled';
      readonly job: JobId;
      readonly indices: readonly number[] | null;
      readonly by: string;
      readonly reason: string;
    }
  /** `indices` null means every failed, cancelled or timed-out task of the job. */
  | {
      readonly type: 'tasks-retried';
      readonly job: JobId;
      readonly indices: readonly number[] | null;
      readonly by: string;
    };
