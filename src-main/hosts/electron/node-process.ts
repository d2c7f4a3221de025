import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron';
import type { Failure } from '../../../shared/domain/failure.ts';

/** Waits between starts after a crash: doubling, never longer than the last. */
const firstPauseMs = 500;
const lastPauseMs = 30_000;
/** Crashes in a row after which a person is asked; a run this long counts as a good one. */
const crashesMax = 6;
const goodRunMs = 60_000;
/** A process that was told to stop has this long before it is ended; its journal is on disk all the time. */
const stopWithinMs = 12_000;
/** Characters kept of what it said last. */
const lastWordsMax = 2_000;
/** Callers that may wait for a starting process at once. */
const waitersMax = 8;

export type NodeState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly address: string; readonly home: string }
  | { readonly kind: 'restarting'; readonly reason: string; readonly pauseMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'stopped' };

export interface NodeProcessOptions {
  /** The bundled program of the node. */
  readonly program: string;
  readonly args: readonly string[];
  readonly onState: (state: NodeState) => void;
  /** What it prints, as it comes. */
  readonly onOutput: (text: string) => void;
}

/** Notes of this machine's power that the node may act on. */
export type PowerNote = 'suspend' | 'resume' | 'on-battery' | 'on-mains' | 'shutdown';

/**
 * The node in a process of its own: started by Electron as a utility process, so that neither a busy nor a crashed
 * window touches it. It is started again when it crashes, and not when it said why it cannot run.
 */
export class NodeProcess {
  readonly #options: NodeProcessOptions;
  #child: UtilityProcess | null = null;
  #state: NodeState = { kind: 'stopped' };
  #crashes = 0;
  #startedAtMs = 0;
  #refusal: Failure | null = null;
  #lastWords = '';
  #restart: NodeJS.Timeout | null = null;
  #stopping = false;
  #waiters: ((port: MessagePortMain) => void)[] = [];

  constructor(options: NodeProcessOptions) {
    this.#options = options;
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Starts the process; also the way to try again after `failed`. Does nothing while one runs. */
  start(): void {
    if (this.#child !== null) return;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    this.#stopping = false;
    this.#refusal = null;
    this.#lastWords = '';
    this.#startedAtMs = performance.now();
    this.#become({ kind: 'starting' });
    const child = utilityProcess.fork(this.#options.program, [...this.#options.args], {
      serviceName: 'Skein node',
      stdio: 'pipe',
    });
    this.#child = child;
    child.on('message', (message: unknown) => this.#hear(child, message));
    child.on('exit', (code) => this.#ended(child, code));
    for (const output of [child.stdout, child.stderr]) {
      output?.on('data', (chunk: Buffer | string) => {
        const text = String(chunk);
        this.#lastWords = (this.#lastWords + text).slice(-lastWordsMax);
        this.#options.onOutput(text);
      });
    }
  }

  /** Try again now, with the count of crashes forgotten: a person asked for it. */
  startAfresh(): void {
    this.#crashes = 0;
    this.start();
  }

  /** Gives `use` one end of a new channel to the node, now or when it is ready. Each caller gets its own. */
  withPort(use: (port: MessagePortMain) => void): void {
    if (this.#state.kind === 'running' && this.#child !== null) {
      use(handPort(this.#child));
      return;
    }
    // The newest matter: an older one belongs to a page that has given up waiting.
    this.#waiters = [...this.#waiters, use].slice(-waitersMax);
  }

  /** Tells the node what happens to this machine's power. */
  note(power: PowerNote): void {
    this.#child?.postMessage({ type: 'power', power });
  }

  /** Asks it to end, waits, and ends it when it takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    this.#waiters = [];
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.postMessage({ type: 'stop' });
    const overdue = setTimeout(() => child.kill(), stopWithinMs);
    await gone;
    clearTimeout(overdue);
  }

  #hear(child: UtilityProcess, message: unknown): void {
    if (child !== this.#child || typeof message !== 'object' || message === null) return;
    const fields = new Map<string, unknown>(Object.entries(message));
    const text = (name: string): string => {
      const value = fields.get(name);
      return typeof value === 'string' ? value : '';
    };
    if (fields.get('type') === 'failed') {
      this.#refusal = { code: 'not-running', message: text('message'), hint: text('hint') };
    }
    if (fields.get('type') === 'ready') {
      this.#become({ kind: 'running', address: text('address'), home: text('home') });
      for (const use of this.#waiters.splice(0)) use(handPort(child));
    }
  }

  #ended(child: UtilityProcess, code: number): void {
    if (child !== this.#child) return;
    this.#child = null;
    if (this.#stopping) {
      this.#become({ kind: 'stopped' });
      return;
    }
    if (this.#refusal !== null) {
      // It said why it cannot run, and starting it again would change nothing: a person decides.
      this.#become({ kind: 'failed', failure: this.#refusal });
      return;
    }
    this.#crashes = performance.now() - this.#startedAtMs >= goodRunMs ? 1 : this.#crashes + 1;
    const reason = `the Skein process of this machine ended with code ${String(code)}`;
    if (this.#crashes >= crashesMax) {
      const said = this.#lastWords.trim();
      const message = `${reason}, ${String(this.#crashes)} times in a row${said === '' ? '' : `. It last said: ${said}`}`;
      this.#become({
        kind: 'failed',
        failure: { code: 'internal', message, hint: 'Try again, or see its log in the log folder of Skein.' },
      });
      return;
    }
    const pauseMs = Math.min(lastPauseMs, firstPauseMs * 2 ** (this.#crashes - 1));
    this.#become({ kind: 'restarting', reason, pauseMs });
    this.#restart = setTimeout(() => this.start(), pauseMs);
  }

  #become(state: NodeState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

function handPort(child: UtilityProcess): MessagePortMain {
  const { port1, port2 } = new MessageChannelMain();
  child.postMessage({ type: 'rpc-port' }, [port1]);
  return port2;
}
