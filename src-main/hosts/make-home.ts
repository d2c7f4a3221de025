import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FailureError } from '../../shared/domain/failure.ts';

/** Makes the home folder, for this user alone, unless it is there. Throws `disk-full` or `disk-failed` if it cannot be written to. */
export async function makeHome(home: string): Promise<void> {
  try {
    await makeFolders(home);
    const probe = join(home, `.probe-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe, { force: true });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new FailureError(
      {
        code: reason === 'ENOSPC' ? 'disk-full' : 'disk-failed',
        message: `cannot write to the home folder ${home}: ${reason}`,
        hint: 'Make it writable for this user, or choose another with --home or SKEIN_HOME.',
      },
      { cause },
    );
  }
}

/**
 * Node's own recursive `mkdir` never returns where the system answers ENOENT to a new folder in an existing one, as
 * `/proc` does, so the missing folders are made one by one.
 */
async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await exists(at)) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const folder of missing) {
    await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
