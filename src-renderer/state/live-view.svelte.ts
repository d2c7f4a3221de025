import { failureOf } from '../../shared/contract/client.ts';
import type { Failure } from '../../shared/domain/failure.ts';

export interface Provenance {
  readonly consistency: 'quorum' | 'local' | 'gossip' | 'stale';
  readonly ageMs: number;
  readonly slot: number;
}

export interface Frame<View> {
  readonly sequence: number;
  readonly provenance: Provenance;
  readonly view: View;
}

/** Opens the live call; ends when the signal aborts. */
export type OpenFrames<View> = (signal: AbortSignal) => Promise<AsyncIterable<Frame<View>>>;

const firstRetryMs = 500;
const lastRetryMs = 15_000;

/**
 * Mirrors one live view of the node process. The process is right; the screen follows. A frame holds the whole view,
 * so a skipped number loses nothing; a number that goes back means the order broke, and the view subscribes anew.
 */
export class LiveView<View> {
  /** The latest view, or null until the first frame came. Replaced as a whole, so it need not be deeply reactive. */
  view = $state.raw<View | null>(null);
  provenance = $state.raw<Provenance | null>(null);
  /** Monotonic milliseconds at which the shown frame came in. */
  receivedAtMs = $state(0);
  failure = $state.raw<Failure | null>(null);
  /** Frames that came in while the view was paused. */
  heldBack = $state(0);

  #paused = false;
  #pending: Frame<View> | null = null;
  #sequence = -1;
  #abort: AbortController | null = null;
  #failures = 0;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(wait: (ms: number, signal: AbortSignal) => Promise<void> = waitFor) {
    this.#wait = wait;
  }

  /** Follows from now on. A view that is followed already is left and opened anew. */
  follow(open: OpenFrames<View>): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    return this.#run(open, abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** Forgets what was shown: the view is about to be of something else. */
  clear(): void {
    this.view = null;
    this.provenance = null;
    this.failure = null;
    this.#pending = null;
    this.heldBack = 0;
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (paused || this.#pending === null) return;
    const frame = this.#pending;
    this.#pending = null;
    this.heldBack = 0;
    this.#show(frame);
  }

  async #run(open: OpenFrames<View>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#sequence = -1;
        for await (const frame of await open(signal)) {
          if (signal.aborted) return;
          if (!this.#receive(frame)) break;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.failure = failureOf(error);
        this.#failures += 1;
      }
      if (!signal.aborted) await this.#wait(this.#retryMs(), signal);
    }
  }

  /** False when the numbers went back: what follows cannot be trusted to be newer. */
  #receive(frame: Frame<View>): boolean {
    if (frame.sequence <= this.#sequence) {
      this.#failures += 1;
      return false;
    }
    this.#sequence = frame.sequence;
    this.#failures = 0;
    if (this.#paused && this.view !== null) {
      this.#pending = frame;
      this.heldBack += 1;
    } else {
      this.#show(frame);
    }
    return true;
  }

  #show(frame: Frame<View>): void {
    this.view = frame.view;
    this.provenance = frame.provenance;
    this.receivedAtMs = performance.now();
    this.failure = null;
  }

  #retryMs(): number {
    return Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 6));
  }
}

/** Resolves after the time or at once when the signal aborts; it never rejects. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
  });
}
