import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { Clock } from '../ports/clock.ts';

/** Changes within this time share one frame: ten frames a second are all an eye can use. */
const coalesceMs = 100;
/** Leases and ages move without any event. */
const tickMs = 1_000;
const watchersMax = 256;

/** Tells watchers that something they show may have changed, at most ten times a second. */
export class Changes {
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();
  #sequence = 1;
  #cancel: (() => void) | null = null;
  #cancelTick: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Grows with every frame that differs from the one before. */
  get sequence(): number {
    return this.#sequence;
  }

  stop(): void {
    this.#cancelTick?.();
    this.#cancel?.();
  }

  /** Time goes by only for those who look: a machine that nobody watches is not woken for it. */
  #tick(): void {
    this.#cancelTick = this.#clock.setTimer(tickMs, () => {
      this.changed();
      this.#tick();
    });
  }

  changed(): void {
    if (this.#watchers.size === 0) {
      this.#sequence++;
      return;
    }
    this.#cancel ??= this.#clock.setTimer(coalesceMs, () => {
      this.#cancel = null;
      this.#sequence++;
      for (const wake of [...this.#watchers]) wake();
    });
  }

  /** Yields the view now and after every change, the newest only, until `signal` aborts. Throws `limit-reached`. */
  async *watch<View>(build: () => View | Promise<View>, signal: AbortSignal): AsyncGenerator<View> {
    if (this.#watchers.size >= watchersMax) {
      throw new FailureError(
        fail('limit-reached', `${watchersMax} live views are open on this machine.`, 'Close some windows or commands.')
          .failure,
      );
    }
    let wake: (() => void) | null = null;
    const onChange = (): void => wake?.();
    this.#watchers.add(onChange);
    if (this.#watchers.size === 1) this.#tick();
    signal.addEventListener('abort', onChange, { once: true });
    try {
      while (!signal.aborted) {
        const shown = this.#sequence;
        yield await build();
        // A change while the reader was busy counts: it gets the newest view at once.
        if (!signal.aborted && this.#sequence === shown) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#watchers.delete(onChange);
      if (this.#watchers.size === 0) this.#cancelTick?.();
      signal.removeEventListener('abort', onChange);
    }
  }
}
