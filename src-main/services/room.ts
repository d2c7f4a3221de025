import { FailureError, fail } from '../../shared/domain/failure.ts';

interface Waiting {
  readonly slots: number;
  readonly start: () => void;
}

/** The slots of this machine. Work that needs more than all of them runs alone. First come, first served. */
export class Room {
  readonly #slots: () => number;
  #used = 0;
  #waiting: Waiting[] = [];

  constructor(slots: () => number) {
    this.#slots = slots;
  }

  get used(): number {
    return this.#used;
  }

  async use<Value>(slots: number, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    await this.#enter(slots, signal);
    try {
      return await work();
    } finally {
      this.#used -= slots;
      this.#admit();
    }
  }

  #enter(slots: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(new FailureError(fail('cancelled', 'The work was given up before it began.').failure));
        return;
      }
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
        reject(new FailureError(fail('cancelled', 'The work was given up before it began.').failure));
      };
      const entry: Waiting = {
        slots,
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(entry);
      this.#admit();
    });
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#used > 0 && this.#used + first.slots > this.#slots()) return;
      this.#waiting.shift();
      this.#used += first.slots;
      first.start();
    }
  }
}
