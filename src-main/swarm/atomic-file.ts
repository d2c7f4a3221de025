import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';
import { fail, ok } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/failure.ts';

/** A file that is being written. Offsets are bytes. */
interface WritableFile {
  write(bytes: Uint8Array, offset: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What replacing a small file asks of a disk; small, so that a test can record or break each call. */
export interface SmallFileSystem {
  makeFolder(path: string): Promise<void>;
  open(path: string, create: boolean): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
}

/** The mode keeps other users of the machine out. */
const machineFiles: SmallFileSystem = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  open: async (path) => {
    const handle = await open(path, 'wx', 0o600);
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder,
};

/**
 * Replaces a small file whole: a crash leaves the old one or the new one. On disk when it resolves. Fails with
 * `disk-full` or `disk-failed`, and then leaves nothing half-written behind.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  files: SmallFileSystem = machineFiles,
): Promise<Result<null>> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await files.makeFolder(dirname(path));
    const file = await files.open(temporary, true);
    try {
      await file.write(typeof content === 'string' ? Buffer.from(content) : content, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
    await files.syncFolder(dirname(path));
    return ok(null);
  } catch (cause) {
    await files.remove(temporary).catch(() => undefined);
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
