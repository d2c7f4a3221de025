import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';

/** The helper as its owner sees it: three streams, an end, and a way to end it. */
export interface HelperProgram {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  onError(listener: (error: Error) => void): void;
  onClose(listener: (how: string) => void): void;
  kill(): void;
}

export interface HelperProgramOptions {
  readonly nodePath: string;
  readonly helperPath: string;
  readonly markPrefix: string;
}

/** The helper needs little: a small heap makes its forks fast. */
const helperFlags = ['--max-old-space-size=64', '--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];

/**
 * Starts the helper: as a process of its own, or, inside the desktop app, as a thread of this one. The app's program is
 * built so that it cannot be run as a plain Node (a stranger could otherwise make it run anything), and starting it
 * would open the app a second time. A thread starts programs more slowly and ends together with this process; what it
 * leaves behind then is ended when the node starts again.
 */
export function startHelper(options: HelperProgramOptions): HelperProgram {
  return process.versions['electron'] === undefined ? startProcess(options) : startThread(options);
}

function startProcess({ nodePath, helperPath, markPrefix }: HelperProgramOptions): HelperProgram {
  const child = spawn(nodePath, [...helperFlags, helperPath, markPrefix], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Of its own group: a Ctrl+C meant for this process must not end the helper before its work is ended in order.
    detached: process.platform !== 'win32',
    windowsHide: true,
    env: helperEnvironment(),
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    onError: (listener) => void child.on('error', listener),
    onClose: (listener) => void child.on('close', (code, signal) => listener(String(signal ?? code))),
    kill: () => void child.kill('SIGKILL'),
  };
}

function startThread({ helperPath, markPrefix }: HelperProgramOptions): HelperProgram {
  const worker = new Worker(helperPath, {
    argv: [markPrefix],
    stdin: true,
    stdout: true,
    stderr: true,
    execArgv: [],
    env: helperEnvironment(),
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  if (worker.stdin === null) throw new Error('a thread that was given an input has none');
  return {
    stdin: worker.stdin,
    stdout: worker.stdout,
    stderr: worker.stderr,
    onError: (listener) =>
      void worker.on('error', (error: unknown) => listener(error instanceof Error ? error : new Error(String(error)))),
    onClose: (listener) => void worker.on('exit', (code) => listener(String(code))),
    kill() {
      worker.terminate().catch((error: unknown) => worker.emit('error', error));
    },
  };
}

/** What a runtime needs to run a script: where it lies. */
function helperEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'TEMP', 'LD_LIBRARY_PATH'];
  const env: Record<string, string> = {};
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
