import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ContentHash } from '../../shared/domain/ids.ts';
import { FailureError, fail, ok, type Result } from '../../shared/domain/failure.ts';
import { compareText } from '../../shared/domain/ids.ts';
import type { StagedFile } from '../../shared/domain/task.ts';
import type { AttemptKey } from '../core/tasks/commands.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { DroppedOutput } from '../ports/process-runner.ts';
import { readFailure, selectFiles } from './file-selection.ts';
import { isRecord } from './stream-messages.ts';

/** Folders of ended attempts, with their output text, that stay on this machine; the oldest go first. */
export const attemptFoldersKept = 5_000;
/** Files one attempt may bring back. */
export const outputFilesMax = 10_000;

export interface AttemptFolder {
  readonly root: string;
  /** Where the program runs and its files are. */
  readonly work: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** `81.3.1`: the third attempt folder part is the attempt's number. */
export function attemptFolder(attemptsHome: string, key: Pick<AttemptKey, 'job' | 'index' | 'attempt'>): AttemptFolder {
  const root = join(attemptsHome, `${key.job}.${key.index}.${key.attempt}`);
  return { root, work: join(root, 'work'), stdout: join(root, 'stdout'), stderr: join(root, 'stderr') };
}

/** Begins with an empty folder and places the inputs in it. Throws a FailureError that names the file. */
export async function prepareFolder(
  folder: AttemptFolder,
  inputs: readonly StagedFile[],
  store: ContentStore,
): Promise<void> {
  try {
    // Almost always new: looking for old files to remove costs more than making the folder.
    await mkdir(dirname(folder.root), { recursive: true });
    const isNew = await mkdir(folder.root).then(
      () => true,
      () => false,
    );
    if (!isNew) await rm(folder.root, { recursive: true, force: true });
    await mkdir(folder.work, { recursive: true });
  } catch (error) {
    throw new FailureError(readFailure(folder.root, error), { cause: error });
  }
  for (const input of inputs) {
    await copyInput(input, join(folder.work, ...input.path.split('/')), store);
  }
}

/** Shares the bytes with the store where the file system can. Not synced: what a crash loses here is run again anyway. */
async function copyInput(input: StagedFile, target: string, store: ContentStore): Promise<void> {
  const source = await store.pathOf(input.hash);
  if (source === null)
    throw new FailureError(fail('disk-failed', `${input.path} has gone from the content store.`).failure);
  try {
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    await chmod(target, input.executable ? 0o755 : 0o644);
  } catch (error) {
    throw new FailureError(readFailure(target, error), { cause: error });
  }
}

/** The output files that the patterns name, copied into the store. Fails naming a pattern that matches nothing. */
export async function storeOutputs(
  folder: AttemptFolder,
  patterns: readonly string[],
  store: ContentStore,
): Promise<Result<readonly StagedFile[]>> {
  const selected = await selectFiles(patterns, { cwd: folder.work, foldersWhole: true, filesMax: outputFilesMax });
  if (!selected.ok) {
    const { code, message } = selected.failure;
    return code === 'not-found'
      ? fail(
          'not-found',
          `The program ended well but an output is missing. ${message.replace(` in ${folder.work}`, '')}`,
        )
      : selected;
  }
  const files: StagedFile[] = [];
  for (const file of selected.value) {
    const stored = await store.putFile(file.absolute);
    if (!stored.ok) return stored;
    files.push({ path: file.path, hash: stored.value.hash, bytes: stored.value.bytes, executable: file.executable });
  }
  return ok(files);
}

/** Removes the oldest attempt folders beyond those kept, never one of `live`. */
export async function pruneFolders(attemptsHome: string, live: ReadonlySet<string>): Promise<number> {
  const names = await readdir(attemptsHome).catch(() => []);
  if (names.length <= attemptFoldersKept) return 0;
  const dated = await Promise.all(
    names
      .filter((name) => !live.has(name))
      .map(async (name) => ({ name, at: (await stat(join(attemptsHome, name)).catch(() => null))?.mtimeMs ?? 0 })),
  );
  dated.sort((left, right) => left.at - right.at || compareText(left.name, right.name));
  const surplus = dated.slice(0, names.length - attemptFoldersKept);
  for (const { name } of surplus) await rm(join(attemptsHome, name), { recursive: true, force: true });
  return surplus.length;
}

/** A list of staged files from another machine, checked: nothing may name a place outside the folder it is for. */
export function checkedStagedFiles(value: unknown, filesMax: number): readonly StagedFile[] | null {
  if (!Array.isArray(value) || value.length > filesMax) return null;
  const files: StagedFile[] = [];
  for (const entry of value as readonly unknown[]) {
    if (!isRecord(entry)) return null;
    const { path, hash, bytes, executable } = entry;
    if (typeof path !== 'string' || !isInnerPath(path)) return null;
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return null;
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) return null;
    files.push({ path, hash: hash as ContentHash, bytes, executable: executable === true });
  }
  return files;
}

/** Relative, with `/`, without anything a system could read as a way out of its folder. */
export function isInnerPath(path: string): boolean {
  if (path.length === 0 || path.length > 4_096 || path.includes('\0') || path.includes('\\') || /^[A-Za-z]:/.test(path))
    return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** Frees the disk of an attempt's files; its output text stays to be read. A failure only costs space. */
export async function removeWork(folder: AttemptFolder, logger: Logger): Promise<void> {
  await rm(folder.work, { recursive: true, force: true }).catch((error: unknown) => {
    logger.warn('the folder of an attempt could not be removed', { folder: folder.work, reason: String(error) });
  });
}

/** Notes beside the output text how much of it was not kept, for whoever reads it later. */
export async function noteDropped(folder: AttemptFolder, dropped: DroppedOutput, logger: Logger): Promise<void> {
  if (dropped.stdout + dropped.stderr === 0) return;
  await writeFile(droppedPath(folder), JSON.stringify(dropped)).catch((error: unknown) => {
    logger.warn('the amount of dropped output could not be noted', { folder: folder.root, reason: String(error) });
  });
}

/** Bytes of each stream that were not kept; nothing where nothing was noted. */
export async function droppedOf(folder: AttemptFolder): Promise<DroppedOutput> {
  const text = await readFile(droppedPath(folder), 'utf8').catch(() => '{}');
  const noted: unknown = JSON.parse(text);
  const count = (value: unknown): number => (typeof value === 'number' && Number.isSafeInteger(value) ? value : 0);
  return isRecord(noted)
    ? { stdout: count(noted['stdout']), stderr: count(noted['stderr']) }
    : { stdout: 0, stderr: 0 };
}

const droppedPath = (folder: AttemptFolder): string => join(folder.root, 'dropped.json');
