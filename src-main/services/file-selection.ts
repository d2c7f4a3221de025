import { glob, lstat, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fail, type Failure, type Result, ok } from '../../shared/domain/failure.ts';
import { compareText } from '../../shared/domain/ids.ts';

/** A file of the submitter's, by its path relative to the folder of the submission, with `/`. */
export interface SelectedFile {
  readonly path: string;
  readonly absolute: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export interface SelectionOptions {
  /** Absolute folder that patterns are read against. */
  readonly cwd: string;
  /** Takes every file below a folder that a pattern names. */
  readonly foldersWhole: boolean;
  readonly filesMax: number;
}

/**
 * The files that paths and globs name, in the order of the patterns and sorted within each, each once.
 * Fails naming the pattern that matches nothing, leaves `cwd`, or cannot be read.
 */
export async function selectFiles(
  patterns: readonly string[],
  options: SelectionOptions,
): Promise<Result<readonly SelectedFile[]>> {
  const found = new Map<string, SelectedFile>();
  for (const pattern of patterns) {
    const matched = await matchPattern(pattern, options);
    if (!matched.ok) return matched;
    for (const file of matched.value) found.set(file.path, file);
    if (found.size > options.filesMax) {
      return fail(
        'limit-reached',
        `The patterns match more than ${options.filesMax} files.`,
        'Narrow the patterns, or split the job.',
      );
    }
  }
  return ok([...found.values()]);
}

/** `path` relative to `cwd` with `/`; null when it is `cwd` itself or lies outside. */
export function pathWithin(cwd: string, path: string): string | null {
  const inside = relative(cwd, resolve(cwd, path));
  if (inside === '' || isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) return null;
  return inside.split(sep).join('/');
}

async function matchPattern(pattern: string, options: SelectionOptions): Promise<Result<readonly SelectedFile[]>> {
  const { cwd } = options;
  // A name that exists is itself, whatever characters it holds: `photo[1].jpg` is a file before it is a pattern.
  const literal = await lstat(resolve(cwd, pattern)).catch(() => null);
  const absolutes: string[] = [];
  try {
    if (literal === null) {
      for await (const match of glob(pattern, { cwd })) {
        absolutes.push(resolve(cwd, match));
        if (absolutes.length > 2 * options.filesMax) break;
      }
    } else {
      absolutes.push(resolve(cwd, pattern));
    }
    return await takeFiles(pattern, absolutes.sort(compareText), options);
  } catch (error) {
    return { ok: false, failure: readFailure(pattern, error) };
  }
}

async function takeFiles(
  pattern: string,
  absolutes: readonly string[],
  options: SelectionOptions,
): Promise<Result<readonly SelectedFile[]>> {
  const files: SelectedFile[] = [];
  for (const absolute of absolutes) {
    const path = pathWithin(options.cwd, absolute);
    if (path === null && absolute !== options.cwd) {
      return fail(
        'bad-input',
        `${absolute} is outside the folder ${options.cwd}.`,
        'Submit from a folder that holds all files of the job.',
      );
    }
    const info = await stat(absolute);
    if (info.isFile() && path !== null)
      files.push({ path, absolute, bytes: info.size, executable: (info.mode & 0o111) !== 0 });
    else if (info.isDirectory() && options.foldersWhole) files.push(...(await filesBelow(absolute, options)));
    if (files.length > options.filesMax) break;
  }
  if (files.length === 0) {
    return fail(
      'not-found',
      `Nothing matches ${pattern} in ${options.cwd}.`,
      'Check the spelling and the folder; quote the pattern so that the shell leaves it alone.',
    );
  }
  return ok(files);
}

async function filesBelow(folder: string, options: SelectionOptions): Promise<SelectedFile[]> {
  const files: SelectedFile[] = [];
  for await (const entry of glob('**', { cwd: folder, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const absolute = join(entry.parentPath, entry.name);
    const info = await stat(absolute);
    const path = pathWithin(options.cwd, absolute);
    if (path !== null) files.push({ path, absolute, bytes: info.size, executable: (info.mode & 0o111) !== 0 });
    if (files.length > options.filesMax) break;
  }
  return files.sort((left, right) => compareText(left.path, right.path));
}

/** Says which file the system refused, and why. */
export function readFailure(what: string, error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : what;
  switch (code) {
    case 'ENOENT':
      return fail('not-found', `${path} does not exist.`, 'Check the path.').failure;
    case 'EACCES':
    case 'EPERM':
      return fail('not-authorised', `${path} may not be read by this user.`, 'Change its permissions, or leave it out.')
        .failure;
    case 'ENOSPC':
    case 'EDQUOT':
      return fail(
        'disk-full',
        `The disk is full: ${path} could not be written.`,
        'Free some space; Skein tries again by itself.',
      ).failure;
    default:
      return fail('disk-failed', `${path}: ${error instanceof Error ? error.message : String(error)}`).failure;
  }
}
