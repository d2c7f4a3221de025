import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { exitCodes } from './exit-codes.ts';

export interface GroupExit {
  readonly code: number;
  /** True when a signal ended it, whoever sent it. */
  readonly signalled: boolean;
  /** Why it could not start; empty when it did. */
  readonly problem: string;
}

/** A program with everything it starts, so that all of it can be stopped. */
export interface ProcessGroup {
  /** Number of its first process, which on POSIX systems is that of the group. */
  readonly pid: number | undefined;
  /** The exit code as a shell would give it: 128 and the signal for one that was killed, 126 or 127 for one that cannot start. */
  readonly exit: Promise<GroupExit>;
  signal(signal: NodeJS.Signals): void;
  /** Asks the whole group to end and kills it after `graceMs`. */
  stop(graceMs: number): void;
}

export interface GroupRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Starts a program in a group of its own, with the standard streams of this process. */
export function startGroup(request: GroupRequest): ProcessGroup {
  const [program = '', ...args] = request.argv;
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: request.env,
    stdio: 'inherit',
    detached: process.platform !== 'win32',
  });
  let over = false;
  const exit = new Promise<GroupExit>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      over = true;
      const code = error.code === 'ENOENT' ? exitCodes.runNotFound : exitCodes.runCannotExecute;
      resolve({
        code,
        signalled: false,
        problem:
          error.code === 'ENOENT'
            ? `there is no program “${program}”`
            : `“${program}” cannot be started: ${error.message}`,
      });
    });
    child.once('exit', (code, signal) => {
      over = true;
      resolve({
        code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]),
        signalled: signal !== null,
        problem: '',
      });
    });
  });
  return {
    pid: child.pid,
    exit,
    signal: (signal) => signalGroup(child, signal),
    stop(graceMs) {
      signalGroup(child, 'SIGTERM');
      // The first process may end while others of its group go on, so the last word goes to the group in any case.
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), over ? 0 : graceMs);
      void exit.then(() => {
        clearTimeout(timer);
        signalGroup(child, 'SIGKILL');
      });
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    // Windows has no groups to signal; taskkill walks the tree.
    spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on('error', () =>
      child.kill(),
    );
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') child.kill(signal); // ESRCH: nothing of the group is left.
  }
}
