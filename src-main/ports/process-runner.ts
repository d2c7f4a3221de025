import type { Result } from '../../shared/domain/failure.ts';

export interface ProcessRequest {
  /** Program and arguments; never a shell line. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Standard output and error go there, created if missing. Output past `outputBytesMax` is dropped and counted. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly outputBytesMax: number;
  readonly timeoutMs: number | null;
}

export type ProcessExit = (
  | { readonly type: 'exited'; readonly exitCode: number }
  | { readonly type: 'signalled'; readonly signal: string }
  | { readonly type: 'timed-out' }
  | { readonly type: 'killed' }
) & {
  /** What the program wrote past `outputBytesMax`, or onto a full disk, and is not in the files. */
  readonly dropped: DroppedOutput;
};

/** In bytes, for each stream. */
export interface DroppedOutput {
  readonly stdout: number;
  readonly stderr: number;
}

export interface RunningProcess {
  readonly pid: number;
  /** Resolves after the whole process tree is gone and its output is in the files. */
  readonly exit: Promise<ProcessExit>;
  /** Ends the whole tree: asks first, then kills after `graceMs`. Idempotent. */
  kill(graceMs: number): void;
}

/** Starts programs. When this process dies, however it dies, every tree it started dies too. */
export interface ProcessRunner {
  /** Fails with `not-found` (no such program), `not-authorised` (not executable) or `internal`. */
  start(request: ProcessRequest): Promise<Result<RunningProcess>>;
  stop(): Promise<void>;
}

/**
 * Ends a process somebody else started, and all it leads: asks first, kills what is left after `graceMs`, and resolves
 * when they are gone. A process that is gone already is what is wanted.
 */
export type EndProcesses = (pid: number, graceMs: number) => Promise<void>;
