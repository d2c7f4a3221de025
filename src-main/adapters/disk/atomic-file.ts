import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../../../shared/domain/failure.ts';
import { diskFailure } from './disk-failure.ts';
import { syncFolder } from './journal-file-system.ts';

/** Largest small document that is read whole, in bytes. */
const smallFileBytesMax = 16 * 1_024 * 1_024;

/**
 * Replaces a small file: readers and crashes see the old bytes or the new ones, whole. On disk when it resolves.
 * Fails with `disk-full` or `disk-failed`, and then leaves no temporary behind.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string, mode = 0o600): Promise<Result<null>> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return ok(null);
  } catch (error) {
    await rm(temporary, { force: true });
    return { ok: false, failure: diskFailure(error, 'writing', path) };
  }
}

/** The bytes of a small file. Fails with `not-found`, `limit-reached` or `disk-failed`. */
export async function readSmallFile(path: string, bytesMax = smallFileBytesMax): Promise<Result<Uint8Array>> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      if (size > bytesMax) return fail('limit-reached', `${path} is larger than ${String(bytesMax)} bytes`);
      return ok(await handle.readFile());
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { ok: false, failure: diskFailure(error, 'reading', path) };
  }
}
