import { FailureError, type Failure } from '../../shared/domain/failure.ts';
import type { ContentHash, FencingToken, LockName, NodeId, SessionId } from '../../shared/domain/ids.ts';
import type { AttemptOutcome, JobManifest, JobSpec, StagedFile, TaskItem } from '../../shared/domain/task.ts';
import type { AttemptKey, AttemptProgress, OutputSummary } from '../core/tasks/commands.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ProcessExit, ProcessRunner } from '../ports/process-runner.ts';
import { noteDropped, prepareFolder, storeOutputs, type AttemptFolder } from './attempt-folder.ts';
import { taskEnvironment } from './environment.ts';
import { expandPlaceholders } from './placeholders.ts';

/** Output text kept of one stream of one attempt; what comes after is dropped and counted. */
const outputBytesMax = 64 * 1_024 * 1_024;
/** All that one attempt is about, as read from the log when it was assigned. */
export interface AttemptWork {
  readonly key: AttemptKey;
  readonly session: SessionId;
  readonly submitter: NodeId;
  readonly spec: JobSpec;
  readonly manifest: ContentHash;
}

/** What an attempt needs of the machine it runs on. */
export interface AttemptSurroundings {
  readonly self: NodeId;
  readonly folder: AttemptFolder;
  readonly killGraceMs: number;
  readonly store: ContentStore;
  readonly runner: ProcessRunner;
  fetchManifest(work: AttemptWork, signal: AbortSignal): Promise<JobManifest>;
  fetchFiles(work: AttemptWork, files: readonly StagedFile[], signal: AbortSignal): Promise<void>;
  /** Resolves once the lock is granted to this attempt; `lost` aborts when it is taken away. */
  acquireLock(
    work: AttemptWork,
    name: LockName,
    signal: AbortSignal,
  ): Promise<{ readonly token: FencingToken; readonly lost: AbortSignal }>;
  /** Runs `program` when this machine has room for the task. */
  whenRoom<Value>(work: AttemptWork, signal: AbortSignal, program: () => Promise<Value>): Promise<Value>;
  /** Resolves once the submitter has the files on its disk. */
  deliver(work: AttemptWork, files: readonly StagedFile[], signal: AbortSignal): Promise<OutputSummary>;
  progressed(state: AttemptProgress['state']): void;
  readonly logger: Logger;
}

export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  readonly outputs: OutputSummary | null;
}

/** Runs one attempt from its files to its delivered outputs. Never throws for what the world does; `signal` ends it early. */
export async function runAttempt(
  work: AttemptWork,
  around: AttemptSurroundings,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  try {
    around.progressed('fetching');
    const manifest = await around.fetchManifest(work, signal);
    const item = manifest.items[work.key.index];
    if (item === undefined) return broken(`The list of tasks has no element ${work.key.index}.`, false);
    const inputs = [...manifest.shared, ...item.inputs];
    await around.fetchFiles(work, inputs, signal);
    await prepareFolder(around.folder, inputs, around.store);
    const exit = await around.whenRoom(work, signal, () => runProgram(work, item, around, signal));
    if ('outcome' in exit) return exit;
    return await bringBack(work, item, exit, around, signal);
  } catch (error) {
    if (signal.aborted) return broken(`The attempt was stopped: ${String(signal.reason)}`, true);
    if (error instanceof FailureError) return broken(error.failure.message, mayWorkElsewhere(error.failure));
    throw error;
  }
}

async function runProgram(
  work: AttemptWork,
  item: TaskItem,
  around: AttemptSurroundings,
  signal: AbortSignal,
): Promise<ProcessExit | AttemptEnd> {
  const { spec } = work;
  const lock = spec.lock === null ? null : await around.acquireLock(work, spec.lock, signal);
  const stop = lock === null ? signal : AbortSignal.any([signal, lock.lost]);
  stop.throwIfAborted();
  const started = await around.runner.start({
    argv: spec.argv.map((part) => expandPlaceholders(part, item)),
    cwd: around.folder.work,
    env: taskEnvironment(work, item, around.self, lock?.token ?? work.key.token),
    stdoutPath: around.folder.stdout,
    stderrPath: around.folder.stderr,
    outputBytesMax,
    timeoutMs: spec.timeoutMs,
  });
  if (!started.ok) return notStarted(started.failure);
  around.progressed('running');
  const kill = (): void => started.value.kill(around.killGraceMs);
  stop.addEventListener('abort', kill, { once: true });
  if (stop.aborted) kill();
  const exit = await started.value.exit;
  await noteDropped(around.folder, exit.dropped, around.logger);
  stop.removeEventListener('abort', kill);
  if (lock?.lost.aborted === true) return broken(`The lock ${spec.lock ?? ''} was taken away.`, true);
  return exit;
}

async function bringBack(
  work: AttemptWork,
  item: TaskItem,
  exit: ProcessExit,
  around: AttemptSurroundings,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  const outcome = outcomeOf(exit, signal);
  const good = outcome.type === 'exited' && outcome.exitCode === 0;
  if (!good || work.spec.outputs.length === 0) return { outcome, outputs: null };
  around.progressed('uploading');
  const patterns = work.spec.outputs.map((pattern) => expandPlaceholders(pattern, item));
  const files = await storeOutputs(around.folder, patterns, around.store);
  // A program that ended well without its output does so everywhere; a full disk is this machine's own trouble.
  if (!files.ok)
    return broken(files.failure.message, files.failure.code !== 'not-found' && mayWorkElsewhere(files.failure));
  return { outcome, outputs: await around.deliver(work, files.value, signal) };
}

function outcomeOf(exit: ProcessExit, signal: AbortSignal): AttemptOutcome {
  switch (exit.type) {
    case 'exited':
      return { type: 'exited', exitCode: exit.exitCode };
    case 'signalled':
      return { type: 'signalled', signal: exit.signal };
    case 'timed-out':
      return { type: 'timed-out' };
    case 'killed':
      return { type: 'broken', reason: `The attempt was stopped: ${String(signal.reason)}`, retryable: true };
  }
}

const broken = (
  reason: string,
  retryable: boolean,
): AttemptEnd & { readonly outcome: { readonly type: 'broken' } } => ({
  outcome: { type: 'broken', reason: reason.slice(0, 400), retryable },
  outputs: null,
});

/**
 * A program that is not there, or may not be executed, is a mistake in the command far more often than a gap of one
 * machine: its submitter hears of it at once, with the exit code of a shell, instead of after a tour of the swarm.
 */
function notStarted(failure: Failure): AttemptEnd {
  const exitCode = failure.code === 'not-found' ? 127 : failure.code === 'not-authorised' ? 126 : undefined;
  const { outcome } = broken(failure.message, exitCode === undefined);
  return { outcome: exitCode === undefined ? outcome : { ...outcome, exitCode }, outputs: null };
}

/** A list that cannot be read is the same everywhere. A submitter that is away, or a full disk, is not. */
function mayWorkElsewhere(failure: Failure): boolean {
  return failure.code !== 'bad-input' && failure.code !== 'malformed';
}
