import { createHash, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { fail, ok, type Result } from '../../../shared/domain/failure.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProcessExit, ProcessRequest, ProcessRunner, RunningProcess } from '../../ports/process-runner.ts';
import { HelperLink } from './helper-link.ts';
import { endMarked, endTreesNow, treeVariable } from './process-tree.ts';
import type { HelperReport } from './spawn-messages.ts';

export interface ProcessRunnerOptions {
  /** Names the state folder: at the start, trees that an earlier run of the same folder left behind are ended. */
  readonly stateDir: string;
  /** The helper's script; needed where this code is bundled. */
  readonly helperPath?: string;
  /** The program that runs the helper, and its environment. */
  readonly nodePath?: string;
  readonly logger?: Logger;
}

/** Programs at once. A machine's own capacity lies far below; this bounds file descriptors. */
const programsMax = 1_000;

interface Program {
  readonly mark: string;
  readonly started: (result: Result<RunningProcess>) => void;
  readonly ended: (exit: ProcessExit) => void;
  readonly exit: Promise<ProcessExit>;
  pid: number;
}

/** The helper beside this file: its source where this is source, its bundle where this is bundled. */
function helperScript(): string {
  const name = import.meta.url.endsWith('.ts') ? './spawn-helper.ts' : './spawn-helper.js';
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Starts programs through a small helper process, which is replaced when it dies. */
export class ChildProcessRunner implements ProcessRunner {
  readonly #options: ProcessRunnerOptions;
  readonly #runPrefix: string;
  readonly #programs = new Map<number, Program>();
  #link: HelperLink | null = null;
  #counter = 0;
  #stopped = false;

  constructor(options: ProcessRunnerOptions) {
    this.#options = options;
    const owner = createHash('sha256').update(options.stateDir).digest('hex').slice(0, 16);
    this.#runPrefix = `${owner}.${randomBytes(6).toString('hex')}.`;
    const left = endMarked(`${owner}.`);
    if (left > 0) options.logger?.warn('ended processes that an earlier run left behind', { count: left });
  }

  async start(request: ProcessRequest): Promise<Result<RunningProcess>> {
    if (this.#stopped) return fail('not-running', 'this node is stopping and starts no programs');
    if (this.#programs.size >= programsMax) return fail('limit-reached', `${String(programsMax)} programs run already`);
    const id = ++this.#counter;
    const mark = `${this.#runPrefix}${String(id)}`;
    const exit = Promise.withResolvers<ProcessExit>();
    return new Promise((started) => {
      this.#programs.set(id, { mark, started, ended: exit.resolve, exit: exit.promise, pid: 0 });
      this.#helper().send({ ...request, type: 'start', id, env: { ...request.env, [treeVariable]: mark } });
    });
  }

  /** Ends every tree and the helper. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#link?.close();
  }

  #helper(): HelperLink {
    this.#link ??= new HelperLink({
      nodePath: this.#options.nodePath ?? process.execPath,
      helperPath: this.#options.helperPath ?? helperScript(),
      markPrefix: this.#runPrefix,
      onReport: (report) => this.#onReport(report),
      onGone: (reason) => this.#onGone(reason),
    });
    return this.#link;
  }

  #onReport(report: HelperReport): void {
    if (report.type === 'ready') return;
    const program = this.#programs.get(report.id);
    if (program === undefined) return;
    if (report.type === 'started') {
      program.pid = report.pid;
      const kill = (graceMs: number): void => this.#link?.send({ type: 'kill', id: report.id, graceMs });
      program.started(ok({ pid: report.pid, exit: program.exit, kill }));
      return;
    }
    this.#programs.delete(report.id);
    if (report.type === 'refused') {
      program.started(fail(report.code, report.message));
      return;
    }
    const { dropped } = report;
    if (dropped.stdout + dropped.stderr > 0)
      this.#options.logger?.warn('dropped output past its limit', { pid: program.pid, ...dropped });
    program.ended({ ...report.exit, dropped });
  }

  /** The helper is gone: nothing is reported any more, so what it had started is ended and said to be killed. */
  #onGone(reason: string): void {
    this.#link = null;
    if (!this.#stopped) this.#options.logger?.error('the helper that starts programs ended', { reason });
    const programs = [...this.#programs.values()];
    this.#programs.clear();
    endTreesNow(programs.filter((program) => program.pid > 0).map(({ pid, mark }) => ({ pid, mark })));
    endMarked(this.#runPrefix);
    for (const program of programs) {
      if (program.pid === 0) program.started(fail('internal', `the helper that starts programs ended: ${reason}`));
      else program.ended({ type: 'killed', dropped: { stdout: 0, stderr: 0 } });
    }
  }
}
