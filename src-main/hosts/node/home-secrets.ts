import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError } from '../../../shared/domain/failure.ts';
import { homeFiles } from '../home-folder.ts';

/** The token that programs on this machine show to the web server: made once, readable by this user only. */
export async function readApiToken(home: string): Promise<string> {
  const path = join(home, homeFiles.apiToken);
  const present = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (/^[\w-]{43}$/.test(present)) return present;
  const token = randomBytes(32).toString('base64url');
  await writeWhole(path, `${token}\n`);
  return token;
}

/** The web port used last, so that addresses and signed-in browsers outlive a restart; null when there is none. */
export async function rememberedWebPort(home: string): Promise<number | null> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(home, homeFiles.web), 'utf8'));
    if (typeof parsed === 'object' && parsed !== null && 'port' in parsed) {
      const { port } = parsed;
      if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536) return port;
    }
  } catch {
    return null; // Nothing remembered, or nothing that can be read: any free port will do.
  }
  return null;
}

export function rememberWebPort(home: string, port: number): Promise<void> {
  return writeWhole(join(home, homeFiles.web), `${JSON.stringify({ v: 1, port })}\n`);
}

/**
 * Writes a small private file so that readers see the old content or the new one, never a part. Throws `disk-full` or
 * `disk-failed`, naming the file, and then leaves nothing behind.
 */
export async function writeWhole(path: string, content: string): Promise<void> {
  const aside = `${path}.${process.pid}.new`;
  try {
    await writeFile(aside, content, { mode: 0o600, flush: true });
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new FailureError(
      {
        code: full ? 'disk-full' : 'disk-failed',
        message: `${path} could not be written (${code})`,
        hint: full
          ? 'Free some space on this disk and try again.'
          : 'Check the disk and the permissions of this folder.',
      },
      { cause },
    );
  }
}
