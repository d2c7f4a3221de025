import type { ContentHash, FencingToken, JobId, LockName, NodeId, SessionId, WallTime } from './ids.ts';

/** The one vocabulary of task states: the same in the log, the window and the command line. */
export const taskStates = [
  'waiting',
  'assigned',
  'fetching',
  'running',
  'uploading',
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
  'lost',
  'rejected',
  'unknown',
] as const;
export type TaskState = (typeof taskStates)[number];

/** A task in one of these will not run again unless a person asks. */
export const finalTaskStates: ReadonlySet<TaskState> = new Set<TaskState>([
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
]);

export const placementPolicies = ['least-loaded', 'round-robin'] as const;
export type PlacementPolicy = (typeof placementPolicies)[number];

/** Whose waiting tasks are placed before those of others. */
export const jobPriorities = ['low', 'high'] as const;
export type JobPriority = (typeof jobPriorities)[number];

/** What a job asks for, as it stands in the log. Everything large is in the manifest, by hash. */
export interface JobSpec {
  readonly name: string;
  /** Program and arguments with placeholders `{file} {name} {stem} {ext} {index} {line}`; never a shell line. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Globs, relative to the attempt's own folder, of the files to bring back. */
  readonly outputs: readonly string[];
  readonly lock: LockName | null;
  /** Further attempts after a failure, 0 to 100. A lost machine or a refusal does not use one up. */
  readonly retries: number;
  readonly timeoutMs: number | null;
  /** Run only there. */
  readonly on: NodeId | null;
  readonly policy: PlacementPolicy;
  /** Slots the task takes on its machine, 1 or more. */
  readonly slots: number;
  /** Absent: neither. Understood from feature level 2 on. */
  readonly priority?: JobPriority | undefined;
}

/** A file placed into the attempt's folder before the program starts. */
export interface StagedFile {
  /** Relative, with `/`, no `..`. */
  readonly path: string;
  readonly hash: ContentHash;
  readonly bytes: number;
  readonly executable: boolean;
}

/** One element of a job: what its placeholders stand for and the files it alone needs. */
export interface TaskItem {
  readonly file?: string | undefined;
  readonly line?: string | undefined;
  readonly index: number;
  readonly inputs: readonly StagedFile[];
}

/** The content-addressed document that holds what does not belong in the log. */
export interface JobManifest {
  readonly version: 1;
  /** Unique to one submission: two equal submissions are two documents, each with its own output folder. */
  readonly submission: string;
  /** Placed into every attempt's folder. */
  readonly shared: readonly StagedFile[];
  readonly items: readonly TaskItem[];
}

/** How an attempt ended, as its machine reports it. */
export type AttemptOutcome =
  | { readonly type: 'exited'; readonly exitCode: number }
  | { readonly type: 'signalled'; readonly signal: string }
  | { readonly type: 'timed-out' }
  | { readonly type: 'cancelled' }
  | { readonly type: 'rejected'; readonly reason: string }
  /**
   * The attempt could not start or deliver: inputs missing, no such program, disk full. `retryable` ones go elsewhere.
   * `exitCode` is what a shell would answer: 127 for a program that is not there, 126 for one that may not be executed.
   */
  | {
      readonly type: 'broken';
      readonly reason: string;
      readonly retryable: boolean;
      readonly exitCode?: number | undefined;
    };

/** One run of a task on one machine. `number` counts from 1 within its task. */
export interface Attempt {
  readonly number: number;
  readonly node: NodeId;
  readonly session: SessionId;
  /** The slot of the assignment: a result that carries another token is refused. */
  readonly token: FencingToken;
  readonly assignedAt: WallTime;
  readonly startedAt: WallTime | null;
  readonly endedAt: WallTime | null;
  readonly state: TaskState;
  readonly outcome: AttemptOutcome | null;
  /** Why the scheduler chose this machine, in one sentence. */
  readonly reason: string;
}

/** Names a task: `81` or, in a job of many, `81.3` with the index counted from 0. */
export interface TaskKey {
  readonly job: JobId;
  readonly index: number;
}
