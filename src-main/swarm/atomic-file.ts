import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';
import { fail, ok } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/failure.ts';

/**
 * Replaces a small file whole: a crash leaves the old one or the new one. Fails with `disk-full` or `disk-failed`.
 * The mode keeps other users of the machine out.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array | string): Promise<Result<null>> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return ok(null);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const code = errorCode(cause);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      return fail('disk-full', `There is no room left to write ${path}.`, 'Free some space and try again.');
    }
    return fail(
      'disk-failed',
      `${path} could not be written (${code}).`,
      'Check that the folder exists and is yours to write.',
    );
  }
}

/** The whole file, or null when there is none. Fails with `disk-failed` or, past `bytesMax`, with `corrupt`. */
export async function readSmallFile(path: string, bytesMax: number): Promise<Result<Buffer | null>> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > bytesMax) {
      return fail(
        'corrupt',
        `${path} has ${String(bytes.length)} bytes; at most ${String(bytesMax)} make sense.`,
        'Restore it from a backup.',
      );
    }
    return ok(bytes);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT') return ok(null);
    return fail('disk-failed', `${path} could not be read (${code}).`, 'Check that the file is yours to read.');
  }
}

/** The rename itself must reach the disk. Windows cannot open folders and needs no such step. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function errorCode(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
