import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { membersOf, ProcessTable, signalTree, treeVariable, type Tree } from './process-tree.ts';
import type { HelperExit, HelperReport, StartOrder } from './spawn-messages.ts';

/** After a timeout the program may tidy up this long before it is ended. */
const timeoutGraceMs = 2_000;
/** The runtime fires longer timers at once. */
const timeoutMsMax = 2_147_483_647;
/** Between two looks for stragglers, and how many looks before one is given up as beyond our rights. */
const sweepPauseMs = 20;
const sweepsMax = 100;
/** Output pipes close when the tree is gone; one that stays open this long is cut. */
const pipeCloseMs = 2_000;

type Report = (report: HelperReport) => void;
type Scan = ReturnType<ProcessTable['look']>;

/** One look at the process table for everybody who asks in the same turn: each look costs some milliseconds. */
let nextScan: Promise<Scan> | null = null;
const table = new ProcessTable();
const liveTrees = new Set<Tree>();
function scan(): Promise<Scan> {
  nextScan ??= new Promise((resolve) => {
    setImmediate(() => {
      nextScan = null;
      resolve(table.look(liveTrees));
    });
  });
  return nextScan;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One program and everything that grows from it, from start to `ended`. */
export class HelperChild {
  readonly tree: Tree;
  readonly #child: ChildProcess;
  readonly #order: StartOrder;
  readonly #report: Report;
  readonly #outputs: readonly CappedOutput[];
  #ending: HelperExit | null = null;
  #exited = false;
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(
    child: ChildProcess,
    tree: Tree,
    outputs: readonly CappedOutput[],
    order: StartOrder,
    report: Report,
  ) {
    this.#child = child;
    this.tree = tree;
    this.#outputs = outputs;
    this.#order = order;
    this.#report = report;
    liveTrees.add(tree);
  }

  /** Starts the program; reports `started` or `refused`. `onEnd` follows the last report of a started one. */
  static start(order: StartOrder, report: Report, onEnd: () => void): HelperChild | null {
    const outputs: CappedOutput[] = [];
    try {
      const [program, ...args] = order.argv;
      if (program === undefined) throw new Error('no program was named');
      outputs.push(new CappedOutput(order.stdoutPath, order.outputBytesMax));
      outputs.push(new CappedOutput(order.stderrPath, order.outputBytesMax));
      const child = spawn(program, args, {
        cwd: order.cwd,
        env: order.env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: process.platform !== 'win32',
        windowsHide: true,
      });
      child.on('error', (error) => {
        // Later errors are failed signals; only a program that never started has no process id.
        if (child.pid === undefined) refuse(order, error, report, outputs);
      });
      if (child.pid === undefined) return null;
      const tree = { pid: child.pid, mark: order.env[treeVariable] ?? '' };
      const started = new HelperChild(child, tree, outputs, order, report);
      report({ type: 'started', id: order.id, pid: child.pid });
      started.#follow(onEnd);
      return started;
    } catch (error) {
      refuse(order, error, report, outputs);
      return null;
    }
  }

  kill(graceMs: number, why: 'killed' | 'timed-out' = 'killed'): void {
    if (this.#exited || this.#ending !== null) return;
    this.#ending = { type: why };
    if (graceMs <= 0) {
      this.#signal('SIGKILL');
      return;
    }
    this.#signal('SIGTERM');
    this.#timers.push(setTimeout(() => this.#signal('SIGKILL'), graceMs));
  }

  #signal(name: NodeJS.Signals): void {
    if (!this.#exited) signalTree(this.tree, name, table.look(liveTrees));
  }

  #follow(onEnd: () => void): void {
    const { stdout, stderr } = this.#child;
    const closed = Promise.all([follow(stdout, this.#outputs[0]), follow(stderr, this.#outputs[1])]);
    if (this.#order.timeoutMs !== null) {
      this.#timers.push(
        setTimeout(() => this.kill(timeoutGraceMs, 'timed-out'), Math.min(this.#order.timeoutMs, timeoutMsMax)),
      );
    }
    this.#child.once('exit', (code, signalName) => {
      const own: HelperExit =
        code === null ? { type: 'signalled', signal: signalName ?? 'SIGKILL' } : { type: 'exited', exitCode: code };
      const exit = this.#ending ?? own;
      this.#exited = true;
      for (const timer of this.#timers) clearTimeout(timer);
      void this.#finish(closed, exit).finally(onEnd);
    });
  }

  async #finish(closed: Promise<unknown>, exit: HelperExit): Promise<void> {
    await this.#endStragglers();
    liveTrees.delete(this.tree);
    await Promise.race([closed, pause(pipeCloseMs)]);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    const [stdout = 0, stderr = 0] = this.#outputs.map((output) => output.close());
    this.#report({ type: 'ended', id: this.#order.id, exit, dropped: { stdout, stderr } });
  }

  /** The program is over, so is its tree: what it left running would use the machine behind its owner's back. */
  async #endStragglers(): Promise<void> {
    if (process.platform === 'win32') return;
    signalTree(this.tree, 'SIGKILL', []);
    for (let sweep = 0; sweep < sweepsMax; sweep++) {
      const processes = await scan();
      if (membersOf(this.tree, processes).length === 0) return;
      signalTree(this.tree, 'SIGKILL', processes);
      await pause(sweepPauseMs);
    }
  }
}

function refuse(order: StartOrder, error: unknown, report: Report, outputs: readonly CappedOutput[]): void {
  for (const output of outputs) output.close();
  const code = error instanceof Error && 'code' in error ? error.code : '';
  const reason = error instanceof Error ? error.message : String(error);
  const program = order.argv[0] ?? '';
  const folderExists = statSync(order.cwd, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!folderExists) {
    report({
      type: 'refused',
      id: order.id,
      code: 'internal',
      message: `the working folder ${order.cwd} does not exist`,
    });
  } else if (code === 'ENOENT') {
    report({
      type: 'refused',
      id: order.id,
      code: 'not-found',
      message: `there is no program ${program} on this machine`,
    });
  } else if (code === 'EACCES' || code === 'EPERM') {
    report({
      type: 'refused',
      id: order.id,
      code: 'not-authorised',
      message: `${program} may not be executed here (${reason})`,
    });
  } else {
    report({ type: 'refused', id: order.id, code: 'internal', message: `cannot start ${program}: ${reason}` });
  }
}

function follow(stream: Readable | null, output: CappedOutput | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null || output === undefined) {
      resolve();
      return;
    }
    stream.on('data', (chunk: Buffer) => output.write(chunk));
    // A broken pipe only means that no more output comes.
    stream.on('error', () => resolve());
    stream.on('close', () => resolve());
  });
}

/** A file that takes so many bytes and counts the rest. */
class CappedOutput {
  #descriptor: number | null;
  #left: number;
  #droppedBytes = 0;

  constructor(path: string, bytesMax: number) {
    this.#descriptor = openSync(path, 'a', 0o600);
    this.#left = bytesMax;
  }

  write(chunk: Buffer): void {
    const wanted = Math.min(chunk.byteLength, this.#left);
    let written = 0;
    try {
      while (this.#descriptor !== null && written < wanted) {
        written += writeSync(this.#descriptor, chunk, written, wanted - written);
      }
    } catch {
      // A full disk must not end the program; its lost output is counted like output past the limit.
      this.#left = written;
    }
    this.#left -= written;
    this.#droppedBytes += chunk.byteLength - written;
  }

  /** Returns the bytes that were dropped. */
  close(): number {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    return this.#droppedBytes;
  }
}
