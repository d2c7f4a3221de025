/** Runs the programs that check models, each in a process group of its own, and leaves none behind. */
import { spawn } from 'node:child_process';

const outputCharsMax = 1_000_000;
const lastWordsMs = 2_000;

export interface Ran {
  readonly exitCode: number | null;
  readonly output: string;
  readonly seconds: number;
  /** The time limit, or `endModelPrograms`, ended it. */
  readonly stopped: 'time limit' | 'interrupted' | null;
}

const leaders = new Set<number>();
let ending = false;

/**
 * Ends every program that runs, with what it has started, and lets none begin afterwards. Their own groups do not hear
 * of Ctrl+C, so whoever hears of it calls this.
 */
export function endModelPrograms(): void {
  ending = true;
  for (const leader of leaders) endGroup(leader, 'SIGKILL');
}

/** A program that cannot be started ends with exit code 127. */
export function runModelProgram(
  program: string,
  args: readonly string[],
  folder: string,
  timeoutMs: number,
): Promise<Ran> {
  if (ending) return Promise.resolve({ exitCode: null, output: '', seconds: 0, stopped: 'interrupted' });
  const startedAt = performance.now();
  return new Promise((resolve) => {
    // A compiler is a group of processes; one that is left behind would keep the output open.
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const leader = child.pid;
    if (leader !== undefined) leaders.add(leader);
    let output = '';
    let timedOut = false;
    const take = (chunk: Buffer): void => {
      if (output.length < outputCharsMax) output += chunk.toString('utf8');
    };
    const end = (exitCode: number | null): void => {
      clearTimeout(timer);
      if (leader !== undefined) leaders.delete(leader);
      const stopped = ending ? 'interrupted' : timedOut ? 'time limit' : null;
      resolve({ exitCode, output, seconds: (performance.now() - startedAt) / 1_000, stopped });
    };
    // Interrupted, the checker still prints how far it came.
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(leader, 'SIGINT');
      setTimeout(() => endGroup(leader, 'SIGKILL'), lastWordsMs).unref();
    }, timeoutMs);
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      output += error.message;
      end(127);
    });
    child.on('close', end);
  });
}

function endGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined || !leaders.has(leader)) return;
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ESRCH') throw error;
  }
}
