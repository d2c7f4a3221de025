import { randomUUID } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { FailureError, fail, type Result } from '../../shared/domain/failure.ts';
import { lockName, type ContentHash, type NodeId } from '../../shared/domain/ids.ts';
import type {
  JobManifest,
  JobPriority,
  JobSpec,
  PlacementPolicy,
  StagedFile,
  TaskItem,
} from '../../shared/domain/task.ts';
import { jobSpecBytesMax, tasksPerJobMax } from '../core/machine/limits.ts';
import type { ContentStore } from '../ports/content-store.ts';
import { pathWithin, selectFiles, type SelectedFile } from './file-selection.ts';
import { missingPlaceholders } from './placeholders.ts';

/** Files read into the store at the same time: enough to keep a disk busy, few enough to keep the loop free. */
const filesReadAtOnce = 8;
/** Bytes of one manifest document: 100,000 tasks with a file each take about 25 MB. */
export const manifestBytesMax = 128 * 1_024 * 1_024;

/** A submission as the contract delivers it, defaults filled in. */
export interface CheckedSubmission {
  readonly name?: string | undefined;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly inputs: readonly string[];
  readonly each:
    | { readonly type: 'once' }
    | { readonly type: 'files'; readonly globs: readonly string[] }
    | { readonly type: 'lines'; readonly lines: readonly string[] }
    | { readonly type: 'range'; readonly from: number; readonly to: number; readonly step: number };
  readonly outputs: readonly string[];
  readonly outputFolder?: string | undefined;
  readonly lock?: string | undefined;
  readonly retries: number;
  readonly timeoutMs?: number | undefined;
  readonly on?: string | undefined;
  readonly policy: PlacementPolicy;
  readonly slots: number;
  readonly priority?: JobPriority | undefined;
}

/** What a submission would do: nothing is stored or proposed yet. */
export interface SubmissionPlan {
  readonly spec: JobSpec;
  readonly taskCount: number;
  readonly inputBytes: number;
  readonly folder: string;
  readonly shared: readonly SelectedFile[];
  /** One of each task's own files, or null where a task has none. */
  readonly items: readonly {
    readonly file: SelectedFile | null;
    readonly line: string | null;
    readonly index: number;
  }[];
}

/** Checks a submission and expands its globs. Throws a FailureError that names what is wrong. */
export async function planSubmission(
  submission: CheckedSubmission,
  memberNamed: (text: string) => Result<NodeId>,
): Promise<SubmissionPlan> {
  if (!isAbsolute(submission.cwd)) refuse(fail('bad-input', `The folder ${submission.cwd} is not an absolute path.`));
  const cwd = resolve(submission.cwd);
  checkPlaceholders(submission);
  checkOutputs(submission.outputs);
  const shared =
    submission.inputs.length === 0
      ? []
      : take(await selectFiles(submission.inputs, { cwd, foldersWhole: true, filesMax: tasksPerJobMax }));
  const items = await planItems(submission, cwd);
  const files = [...shared, ...items.flatMap((item) => (item.file === null ? [] : [item.file]))];
  return {
    spec: specOf(submission, memberNamed),
    taskCount: items.length,
    inputBytes: files.reduce((sum, file) => sum + file.bytes, 0),
    folder: resolve(cwd, submission.outputFolder ?? '.'),
    shared,
    items,
  };
}

/**
 * Copies the plan's files into the store and writes the manifest. The manifest names its submission, so that
 * two equal submissions are two documents and each keeps its own output folder.
 */
export async function storePlan(plan: SubmissionPlan, store: ContentStore, signal: AbortSignal): Promise<ContentHash> {
  const staged = new Map<string, StagedFile>();
  const files = [...plan.shared, ...plan.items.flatMap((item) => (item.file === null ? [] : [item.file]))];
  let next = 0;
  const readSome = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      if (signal.aborted) refuse(fail('cancelled', 'The submission was given up.'));
      if (staged.has(file.path)) continue;
      const stored = take(await store.putFile(file.absolute));
      staged.set(file.path, { path: file.path, hash: stored.hash, bytes: stored.bytes, executable: file.executable });
    }
  };
  await Promise.all(Array.from({ length: filesReadAtOnce }, readSome));
  const stagedFor = (file: SelectedFile): StagedFile =>
    staged.get(file.path) ?? refuse(fail('internal', `${file.path} was not stored.`));
  const manifest: JobManifest = {
    version: 1,
    submission: randomUUID(),
    shared: plan.shared.map(stagedFor),
    items: plan.items.map((item): TaskItem => ({
      index: item.index,
      ...(item.file === null ? {} : { file: item.file.path }),
      ...(item.line === null ? {} : { line: item.line }),
      inputs: item.file === null ? [] : [stagedFor(item.file)],
    })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest), 'utf8');
  if (bytes.length > manifestBytesMax)
    refuse(
      fail(
        'limit-reached',
        `The list of tasks takes ${bytes.length} bytes, more than ${manifestBytesMax}.`,
        'Split the job.',
      ),
    );
  return take(await store.putBytes(bytes)).hash;
}

async function planItems(submission: CheckedSubmission, cwd: string): Promise<SubmissionPlan['items']> {
  const { each } = submission;
  switch (each.type) {
    case 'once':
      return [{ file: null, line: null, index: 0 }];
    case 'lines':
      return each.lines.map((line, index) => ({ file: null, line, index }));
    case 'files': {
      const files = take(await selectFiles(each.globs, { cwd, foldersWhole: false, filesMax: tasksPerJobMax }));
      return files.map((file, index) => ({ file, line: null, index }));
    }
    case 'range': {
      const count = Math.floor((each.to - each.from) / each.step) + 1;
      if (count < 1)
        refuse(
          fail(
            'bad-input',
            `The range ${each.from} to ${each.to} is empty.`,
            'The second number must not be below the first.',
          ),
        );
      if (count > tasksPerJobMax)
        refuse(
          fail(
            'limit-reached',
            `The range holds ${count} tasks, more than ${tasksPerJobMax}.`,
            'Split the job, or use a larger step.',
          ),
        );
      return Array.from({ length: count }, (_, place) => ({
        file: null,
        line: null,
        index: each.from + place * each.step,
      }));
    }
  }
}

function specOf(submission: CheckedSubmission, memberNamed: (text: string) => Result<NodeId>): JobSpec {
  const spec: JobSpec = {
    name: submission.name ?? [submission.argv[0], ...submission.argv.slice(1, 4)].join(' ').slice(0, 120),
    argv: submission.argv,
    env: submission.env,
    outputs: submission.outputs,
    lock: submission.lock === undefined ? null : checkedLock(submission.lock),
    retries: submission.retries,
    timeoutMs: submission.timeoutMs ?? null,
    on: submission.on === undefined ? null : take(memberNamed(submission.on)),
    policy: submission.policy,
    slots: submission.slots,
    ...(submission.priority === undefined ? {} : { priority: submission.priority }),
  };
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes > jobSpecBytesMax)
    refuse(
      fail(
        'limit-reached',
        `Command and environment take ${bytes} bytes, more than ${jobSpecBytesMax}.`,
        'Put long data into an input file.',
      ),
    );
  return spec;
}

export function checkedLock(text: string): ReturnType<typeof lockName> {
  // Control characters are the code units below space, and delete.
  const plain = [...text].every((char) => char.charCodeAt(0) >= 32 && char.charCodeAt(0) !== 127);
  if (text.length < 1 || text.length > 200 || !plain)
    refuse(fail('bad-input', 'A lock name has 1 to 200 characters and no control characters.'));
  return lockName(text);
}

function checkPlaceholders(submission: CheckedSubmission): void {
  const has = { file: submission.each.type === 'files', line: submission.each.type === 'lines' };
  const missing = missingPlaceholders(
    [...submission.argv, ...submission.outputs, ...Object.values(submission.env)],
    has,
  )[0];
  if (missing === undefined) return;
  const option = missing === 'line' ? '--each-line' : '--each-file';
  refuse(
    fail(
      'bad-input',
      `{${missing}} stands for nothing here: the job has no ${missing === 'line' ? 'lines' : 'files'}.`,
      `Use ${option}, or take the placeholder out.`,
    ),
  );
}

function checkOutputs(outputs: readonly string[]): void {
  for (const output of outputs) {
    const outside = isAbsolute(output) || /^[A-Za-z]:/.test(output) || output.split(/[\\/]/).includes('..');
    if (outside || pathWithin(resolve('/'), resolve('/', output)) === null) {
      refuse(
        fail(
          'bad-input',
          `The output ${output} is not inside the task's own folder.`,
          'Name outputs relative to the folder the program runs in.',
        ),
      );
    }
  }
}

function take<Value>(result: Result<Value>): Value {
  return result.ok ? result.value : refuse(result);
}

function refuse(result: ReturnType<typeof fail>): never {
  throw new FailureError(result.failure);
}
