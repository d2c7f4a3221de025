import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FailureError } from '../../../shared/domain/failure.ts';
import { homeFiles } from '../home-folder.ts';
import { makeHome } from '../make-home.ts';
import { isProcessAlive } from '../process-alive.ts';
import type { CliContext } from './cli-context.ts';
import { askControl } from './connection.ts';

const startWithinMs = 30_000;
const stopWithinMs = 20_000;
const pollEveryMs = 50;
const logTailBytes = 2_000;
/** A disk with less room than this takes no log either. */
const roomBytes = 64 * 1_024;

/** The program of the node: beside this one, from source or built. */
function nodeProgram(): string {
  const places = ['../node/main.ts', '../node/main.js', 'node.js'].map((place) => join(import.meta.dirname, place));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) {
    throw new FailureError({
      code: 'not-found',
      message: `the program of the node is not where it should be: ${places[0] ?? ''}`,
      hint: 'Install Skein again.',
    });
  }
  return found;
}

/** Runs the node in the foreground with our streams and answers with its exit code. Ctrl+C reaches it by itself. */
export function runNode(context: CliContext, args: readonly string[]): Promise<number> {
  const json = context.format === 'json' ? ['--json'] : [];
  const child = spawn(process.execPath, [nodeProgram(), ...args, ...json], {
    stdio: 'inherit',
    env: context.world.env,
  });
  // A terminal sends Ctrl+C to both; we wait for the node to end in its own time. Other signals are passed on.
  const unhook = context.world.onInterrupt(() => {
    if (context.world.stdin.isTTY !== true) child.kill('SIGTERM');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      unhook();
      resolve(code ?? 1);
    });
  });
}

export interface StartedNode {
  readonly pid: number;
  /** Signs in the one browser that opens it first. */
  readonly address: string;
}

/** Starts the node so that it outlives this process, and waits until it answers. Throws with the end of its log when it does not. */
export async function startNodeInBackground(context: CliContext, args: readonly string[]): Promise<StartedNode> {
  const running = await askControl(context.home, 'GET', '/control/status').catch(() => null);
  if (running !== null) {
    throw new FailureError({
      code: 'already-exists',
      message: `a node already runs on ${context.home} (process ${String(running['pid'])})`,
      hint: 'Use it, or stop it first: skein daemon stop',
    });
  }
  await makeHome(context.home);
  const logPath = join(context.home, homeFiles.log);
  const log = await open(logPath, 'a', 0o600);
  const logStart = (await log.stat()).size;
  const child = spawn(process.execPath, [nodeProgram(), ...args], {
    detached: true,
    windowsHide: true,
    stdio: ['ignore', log.fd, log.fd],
    env: context.world.env,
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code ?? 1}`}`));
  });
  const settled = new AbortController();
  try {
    const problem = await Promise.race([waitUntilReady(context.home, child.pid ?? 0, settled.signal), ended]);
    if (problem !== null) throw await startFailure(problem, logPath, logStart);
  } finally {
    settled.abort();
    await log.close();
    child.unref();
  }
  const { address } = await askControl(context.home, 'POST', '/control/ui-address');
  return { pid: child.pid ?? 0, address: String(address) };
}

/** Waits until the process given answers at the control socket; answers with what is wrong, or null. */
async function waitUntilReady(home: string, pid: number, settled: AbortSignal): Promise<string | null> {
  const deadline = performance.now() + startWithinMs;
  while (performance.now() < deadline && !settled.aborted) {
    const status = await askControl(home, 'GET', '/control/status').catch(() => null);
    if (status !== null && status['pid'] === pid) return null;
    await pause();
  }
  return `it did not answer within ${startWithinMs / 1_000} s`;
}

async function startFailure(problem: string, logPath: string, logStart: number): Promise<FailureError> {
  const written = await readFile(logPath, 'utf8').catch(() => '');
  const tail = Buffer.from(written).subarray(logStart).toString('utf8').trim().slice(-logTailBytes);
  if (tail === '' && (await isFull(dirname(logPath)))) {
    return new FailureError({
      code: 'limit-reached',
      message: `the node did not start: there is no room left on the disk of ${dirname(logPath)}, not even for its log`,
      hint: 'Free some space and try again.',
    });
  }
  return new FailureError({
    code: 'internal',
    message: `the node did not start: ${problem}${tail === '' ? '' : `\n${tail}`}`,
    hint: `Its log is ${logPath}. To see it start: skein daemon run`,
  });
}

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => null);
  return disk !== null && disk.bavail * disk.bsize < roomBytes;
}

/** Waits until the node has given up its home, which is the last thing it does. Throws `timed-out`. */
export async function waitUntilStopped(home: string, pid: number): Promise<void> {
  const deadline = performance.now() + stopWithinMs;
  while (performance.now() < deadline) {
    const claimed = await stat(join(home, homeFiles.lock)).catch(() => null);
    if (claimed === null || !isProcessAlive(pid)) return;
    await pause();
  }
  throw new FailureError({
    code: 'timed-out',
    message: `the node (process ${pid}) did not stop within ${stopWithinMs / 1_000} s`,
    hint: 'See its log, or end that process.',
  });
}

/** Hands an address to the system's browser; false where there is no desktop to show it on. */
export function openInBrowser(address: string, env: Readonly<Record<string, string | undefined>>): boolean {
  const hasDesktop =
    process.platform === 'darwin' || process.platform === 'win32' || Boolean(env['DISPLAY'] ?? env['WAYLAND_DISPLAY']);
  if (!hasDesktop) return false;
  const [program, args]: [string, string[]] =
    process.platform === 'darwin'
      ? ['open', [address]]
      : process.platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', address]]
        : ['xdg-open', [address]];
  // The address is printed too, so a browser that cannot be started is no failure.
  spawn(program, args, { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
  return true;
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pollEveryMs));
