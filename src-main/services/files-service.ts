import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Folder } from '../../shared/contract/files.ts';
import { FailureError, fail, type FailureCode } from '../../shared/domain/failure.ts';
import { compareText } from '../../shared/domain/ids.ts';
import type { SkeinServices } from '../api/services.ts';
import type { RecentFolders } from './recent-folders.ts';

const entriesMax = 500;

/** Shows this machine's folders to whoever fills in a form here. */
export function createFilesService(recent: RecentFolders): SkeinServices['files'] {
  return {
    places: async () => ({ home: homedir(), recent: [...recent.list()] }),
    look: async ({ path }) => lookInto(path),
  };
}

async function lookInto(typed: string): Promise<Folder> {
  const path = absolutePath(typed);
  try {
    if (!(await stat(path)).isDirectory())
      throw refusal('bad-input', `${path} is a file, not a folder.`, 'Name the folder it lies in.');
    const found = await readdir(path, { withFileTypes: true });
    // Hidden ones are seldom what a person looks for, and a home folder is full of them.
    const shown = found
      .filter((entry) => !entry.name.startsWith('.'))
      .map((entry) => ({ name: entry.name, folder: entry.isDirectory() }))
      .sort((left, right) => Number(right.folder) - Number(left.folder) || compareText(left.name, right.name));
    const entries = await Promise.all(
      shown.slice(0, entriesMax).map(async (entry) => ({
        ...entry,
        // A file may go between the listing and this look.
        bytes: entry.folder ? 0 : ((await stat(join(path, entry.name)).catch(() => null))?.size ?? 0),
      })),
    );
    const writable = await access(path, constants.W_OK).then(
      () => true,
      () => false,
    );
    const parent = dirname(path);
    return { path, parent: parent === path ? null : parent, writable, entries, total: shown.length };
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw folderFailure(path, error);
  }
}

function absolutePath(typed: string): string {
  const path = typed === '~' || typed.startsWith('~/') ? join(homedir(), typed.slice(1)) : typed;
  if (!isAbsolute(path) || path.includes('\0'))
    throw refusal('bad-input', `“${typed}” is not a whole path.`, `Begin at the top, as in ${homedir()}.`);
  return resolve(path);
}

function folderFailure(path: string, error: unknown): FailureError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return refusal('not-found', `There is no folder ${path} on this machine.`, 'See whether its name is right.');
  if (code === 'EACCES' || code === 'EPERM')
    return refusal('not-authorised', `You may not look into ${path}.`, 'Choose another folder, or change its rights.');
  return refusal('disk-failed', `${path} could not be read (${code || String(error)}).`, 'Choose another folder.');
}

const refusal = (code: FailureCode, message: string, hint: string): FailureError =>
  new FailureError(fail(code, message, hint).failure);
