import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Recorded } from './stand-in/state.ts';
import type { Order } from './stand-in/run.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const runner = fileURLToPath(new URL('./stand-in/run.ts', import.meta.url));
const endWithinMs = 20_000;
const pollEveryMs = 50;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The real built programs of the desktop app on the stand-in for Electron, and the line by which a test drives them. */
export class StandInApp {
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #count = 0;
  #output = '';

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.folder = folder;
    child.on('message', (message) => this.#settle(message as Answer));
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (chunk: Buffer) => (this.#output = (this.#output + String(chunk)).slice(-8_000)));
    child.on('exit', () => {
      for (const open of this.#open.values()) open.reject(new Error(`the app ended: ${this.#output}`));
      this.#open.clear();
    });
  }

  /** Starts the built app with a fresh home. `environment` reaches the stand-in. */
  static async start(chromium: string, environment: Readonly<Record<string, string>> = {}): Promise<StandInApp> {
    const folder = await mkdtemp(join(tmpdir(), 'skein-stand-in-'));
    const child = fork(runner, [join(root, 'out', 'main', 'main.js')], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        SKEIN_HOME: join(folder, 'home'),
        SKEIN_CHROMIUM: chromium,
        STAND_IN_FOLDER: folder,
        STAND_IN_NODE_FLAGS: JSON.stringify(['--no-mdns', '--listen', '127.0.0.1']),
        ...environment,
      },
    });
    const app = new StandInApp(child, folder);
    const started = Promise.withResolvers<unknown>();
    app.#open.set(0, started);
    await started.promise;
    return app;
  }

  get output(): string {
    return this.#output;
  }

  ask(verb: Order['verb'], ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#count;
    const open = Promise.withResolvers<unknown>();
    this.#open.set(id, open);
    this.#child.send({ id, verb, args } satisfies Order);
    return open.promise;
  }

  /** Everything of one kind that the program did so far, oldest first. */
  async recorded(what: string): Promise<readonly unknown[]> {
    return ((await this.ask('recorded')) as readonly Recorded[])
      .filter((entry) => entry.what === what)
      .map((entry) => entry.value);
  }

  /** Asks until the answer suits; throws with the last answer when that takes longer than `withinMs`. */
  async until<Value>(look: () => Promise<Value>, suits: (value: Value) => boolean, withinMs = 30_000): Promise<Value> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const value = await look();
      if (suits(value)) return value;
      if (performance.now() > deadline)
        throw new Error(`still not so after ${String(withinMs)} ms: ${JSON.stringify(value)}\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
    }
  }

  /** Waits until the program has ended by itself; answers with its exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit', { signal: AbortSignal.timeout(endWithinMs) });
    return this.#child.exitCode;
  }

  /** Ends the app, whatever state it is in, and removes its folder. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      const overdue = setTimeout(() => this.#child.kill('SIGKILL'), endWithinMs);
      this.#child.disconnect();
      await gone;
      clearTimeout(overdue);
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #settle(answer: Answer): void {
    const open = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if (answer.error === undefined) open?.resolve(answer.value);
    else open?.reject(new Error(answer.error));
  }
}
