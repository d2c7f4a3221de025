import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RPCLink } from '@orpc/client/websocket';
import { WebSocket } from 'ws';
import { callLinePath } from '../../shared/contract/call-frames.ts';
import { CallLink } from './call-link.ts';
import { createSkeinClient, type SkeinClient } from '../../shared/contract/client.ts';

/** The node as it stands in the source; a built one may be given instead. */
const sourceProgram = fileURLToPath(new URL('../../src-main/hosts/node/main.ts', import.meta.url));
const startWithinMs = 60_000;

interface Ready {
  readonly pid: number;
  readonly address: string;
  readonly control: string;
}

/**
 * A real node process of its own, driven through its control socket: what the demo, the crash test and the bench
 * start, kill and start again. Its home folder outlives it.
 */
export class NodeProcess {
  readonly name: string;
  readonly home: string;
  readonly #flags: readonly string[];
  readonly #inside: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #log: string;
  readonly #program: string;
  #killed = false;
  #child: ChildProcess | null = null;
  #ready: Ready | null = null;
  #socket: WebSocket | null = null;
  #client: SkeinClient | null = null;

  /**
   * `inside`: a command that becomes the one after it, such as one that enters a namespace first. `log`: where the
   * process's complaints go, by default a file in its home. `program`: a built node.
   */
  constructor(options: {
    name: string;
    home: string;
    flags?: readonly string[];
    inside?: readonly string[];
    environment?: Readonly<Record<string, string>>;
    log?: string;
    program?: string;
  }) {
    this.name = options.name;
    this.home = options.home;
    this.#flags = options.flags ?? [];
    this.#inside = options.inside ?? [];
    this.#environment = options.environment ?? {};
    this.#program = options.program ?? sourceProgram;
    this.#log = options.log ?? join(options.home, 'stderr.log');
  }

  /** The exit code or signal with which the latest process ended by itself; null while it runs, or when it was told to end. */
  get ending(): string | null {
    if (this.#killed || this.#child === null || this.running) return null;
    return String(this.#child.exitCode ?? this.#child.signalCode);
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Whether calls can reach it: it runs, and it has said that it is ready. */
  get callable(): boolean {
    return this.running && this.#client !== null;
  }

  get pid(): number {
    return this.#ready?.pid ?? 0;
  }

  /** Where a browser finds this node's window; signs in once. */
  get address(): string {
    return this.#ready?.address ?? '';
  }

  /** Calls this node. Throws while it is not running. */
  get api(): SkeinClient {
    if (this.#client === null) throw new Error(`${this.name} is not running`);
    return this.#client;
  }

  /** Resolves once the node answers. Throws with the end of its log if it does not. */
  async start(): Promise<void> {
    await mkdir(this.home, { recursive: true });
    const flags = ['--home', this.home, '--name', this.name, '--listen', '127.0.0.1', '--no-mdns', '--json'];
    const [command = process.execPath, ...args] = [
      ...this.#inside,
      process.execPath,
      this.#program,
      ...flags,
      ...this.#flags,
    ];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#environment },
    });
    this.#child = child;
    this.#client = null;
    this.#killed = false;
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4_000)));
    child.stderr.pipe(createWriteStream(this.#log, { flags: 'a' }));
    this.#ready = await new Promise<Ready>((resolve, reject) => {
      const give = (error: Error): void => {
        clearTimeout(timer);
        reject(error);
      };
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        give(new Error(`${this.name} was not ready in ${startWithinMs} ms\n${complaint}`));
      }, startWithinMs);
      child.once('exit', (code, signal) => give(new Error(`${this.name} ended with ${code ?? signal}\n${complaint}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (!line.startsWith('{')) return;
        clearTimeout(timer);
        resolve(JSON.parse(line) as Ready);
      });
    });
    await this.#connect(this.#ready.control);
  }

  async #connect(control: string): Promise<void> {
    const socket = await openSocket(`ws+unix://${control}:/`);
    this.#socket = socket;
    this.#client = createSkeinClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }));
  }

  /** A lean line to this node, for callers that want their own. It ends with the node, or with `close`. */
  async newLine(): Promise<{ readonly api: SkeinClient; close(): void }> {
    if (this.#ready === null) throw new Error(`${this.name} is not running`);
    const socket = await openSocket(`ws+unix://${this.#ready.control}:${callLinePath}`);
    const link = new CallLink({
      send: (message) => socket.send(message),
      onMessage: (handler) => socket.on('message', (data: Buffer) => handler(data.toString('utf8'))),
      onClose: (handler) => socket.on('close', handler),
    });
    return { api: createSkeinClient(link), close: () => socket.terminate() };
  }

  /** Freezes the process as a machine that hangs would, or lets it go on. */
  freeze(frozen: boolean): void {
    this.#child?.kill(frozen ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Ends the process at once, as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends the process at once without waiting for it. */
  killNow(): void {
    this.#killed = true;
    if (this.running) this.#child?.kill('SIGKILL');
  }

  /** Asks the process to end and waits; kills it after ten seconds. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#client = null;
    if (child === null || !this.running) return;
    this.#killed = true;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(timer);
    this.#socket?.terminate();
    this.#socket = null;
  }
}

async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  // A node that is killed takes its socket with it; calls under way then fail by themselves.
  socket.on('error', () => socket.terminate());
  return socket;
}

const silence = (forMs: number): Promise<null> => sleep(Math.max(0, forMs), null, { ref: false });

/** Asks again every `everyMs` until `probe` answers something, or throws saying what was awaited. Errors of the probe count as "not yet". */
export async function until<Value>(
  awaited: string,
  withinMs: number,
  probe: () => Promise<Value | null>,
  everyMs = 50,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  let last = '';
  while (performance.now() < deadline) {
    try {
      // An answer that never comes must not outlast the deadline.
      const value = await Promise.race([probe(), silence(deadline - performance.now())]);
      if (value !== null) return value;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(everyMs);
  }
  throw new Error(`waited ${withinMs} ms for ${awaited}${last === '' ? '' : `; last: ${last}`}`);
}
