import type { SkeinClient } from '../../shared/contract/client.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { Connect, Connection } from '../api/connect.ts';
import { waitFor } from './live-view.svelte.ts';

const firstRetryMs = 500;
const lastRetryMs = 20_000;

/**
 * The line to the node process, kept open: when it is cut it is opened again with growing waits, and the screen says
 * so the whole time.
 */
export class Line {
  state = $state<'connecting' | 'open' | 'lost'>('connecting');
  /** Why there is no line, while there is none. */
  failure = $state.raw<Failure | null>(null);
  client = $state.raw<SkeinClient | null>(null);
  /** Monotonic instant of the next try, in milliseconds. */
  retryAtMs = $state(0);
  lostSince = $state<number | null>(null);

  readonly #connect: Connect;
  readonly #stopped = new AbortController();
  #retryNow = new AbortController();
  #connection: Connection | null = null;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** Runs until `stop`. `onOpen` is called with the client each time a line opens. */
  async run(onOpen: (client: SkeinClient) => void): Promise<void> {
    for (let tries = 0; !this.#stopped.signal.aborted; tries += 1) {
      const result = await this.#connect();
      if (this.#stopped.signal.aborted) return;
      if (result.ok) {
        tries = 0;
        await this.#hold(result.value, onOpen);
      } else {
        this.#lose(result.failure);
      }
      if (this.#stopped.signal.aborted) return;
      await this.#waitForRetry(tries);
    }
  }

  tryNow(): void {
    this.#retryNow.abort();
  }

  stop(): void {
    this.#stopped.abort();
    this.#retryNow.abort();
    this.#connection?.close();
  }

  async #hold(connection: Connection, onOpen: (client: SkeinClient) => void): Promise<void> {
    this.#connection = connection;
    this.client = connection.client;
    this.state = 'open';
    this.failure = null;
    this.lostSince = null;
    onOpen(connection.client);
    const reason = await connection.ended;
    this.#lose({
      code: 'not-running',
      message: reason,
      hint: 'What you see is the last that was known. Work in the swarm goes on without this window.',
    });
  }

  #lose(failure: Failure): void {
    this.#connection = null;
    this.client = null;
    this.state = 'lost';
    this.failure = failure;
    this.lostSince ??= Date.now();
  }

  async #waitForRetry(tries: number): Promise<void> {
    const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(tries, 6));
    this.retryAtMs = performance.now() + waitMs;
    this.#retryNow = new AbortController();
    await waitFor(waitMs, this.#retryNow.signal);
  }
}
