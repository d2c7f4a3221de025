import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError } from '../../../shared/domain/failure.ts';
import { homeFiles } from '../home-folder.ts';
import { makeHome } from '../make-home.ts';
import { isProcessAlive } from '../process-alive.ts';

/** A claim that is older, without anybody answering, was left by a crash: its process number went to another program. */
const startupMs = 60_000;
const claimAttemptsMax = 5;

/** The right of one process to run on a home folder. */
export interface HomeClaim {
  release(): Promise<void>;
}

/**
 * Makes the home folder, for this user alone, and claims it. Throws `already-exists` while another node runs on it.
 * `isAnswering` asks whether a node answers on the home's control socket.
 */
export async function claimHome(home: string, isAnswering: () => Promise<boolean>): Promise<HomeClaim> {
  await makeHome(home);
  const lockPath = join(home, homeFiles.lock);
  const mark = `${process.pid} ${randomBytes(8).toString('hex')}\n`;
  for (let attempt = 1; attempt <= claimAttemptsMax; attempt += 1) {
    if (await createExclusively(lockPath, mark)) {
      return { release: () => releaseIfOurs(lockPath, mark) };
    }
    const found = await readFile(lockPath, 'utf8').catch(() => null);
    if (found === null) continue; // Its owner gave it up in this moment.
    if (await isHeld(lockPath, found, isAnswering)) throw alreadyRunning(home, found);
    await takeAway(lockPath, found);
  }
  throw alreadyRunning(home, '');
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isHeld(path: string, content: string, isAnswering: () => Promise<boolean>): Promise<boolean> {
  const pid = Number.parseInt(content, 10);
  if (pid === process.pid) return false; // Left by an earlier process that had our number.
  if (await isAnswering()) return true;
  if (Number.isInteger(pid) && pid > 0 && !isProcessAlive(pid)) return false;
  // Alive, or still being written: given time to start. A process number can also belong to another program by now.
  const info = await stat(path).catch(() => null);
  return info !== null && Date.now() - info.mtimeMs < startupMs;
}

/** Removes a dead claim, but puts it back if another process replaced it in the meantime. */
async function takeAway(path: string, expected: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const taken = await readFile(aside, 'utf8').catch(() => expected);
  if (taken === expected) await rm(aside, { force: true });
  else await rename(aside, path);
}

async function releaseIfOurs(path: string, mark: string): Promise<void> {
  const found = await readFile(path, 'utf8').catch(() => null);
  if (found === mark) await rm(path, { force: true });
}

function alreadyRunning(home: string, content: string): FailureError {
  const pid = Number.parseInt(content, 10);
  return new FailureError({
    code: 'already-exists',
    message: `another node already runs on ${home}${Number.isInteger(pid) ? ` (process ${pid})` : ''}`,
    hint: 'Use that one, stop it with “skein daemon stop”, or give this one its own folder with --home.',
  });
}
