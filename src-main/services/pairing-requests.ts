import type { PairingRequest } from '../../shared/contract/swarm.ts';
import type { Role } from '../../shared/domain/member.ts';

/** A machine that has shown the secret of an invitation and waits for a person's word. */
export interface WaitingJoiner {
  readonly id: string;
  readonly name: string;
  readonly os: string;
  readonly words: readonly string[];
  readonly role: Role;
  readonly at: number;
}

interface Open {
  readonly joiner: WaitingJoiner;
  readonly answer: (admit: boolean) => void;
}

const openMax = 32;

/** Joiners that wait here for someone to decide. */
export class PairingRequests {
  readonly #open = new Map<string, Open>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  list(): PairingRequest[] {
    return [...this.#open.values()].map(({ joiner }) => ({ ...joiner, words: [...joiner.words] }));
  }

  /** False when no such joiner waits: it left, or somebody decided already. */
  decide(id: string, admit: boolean): boolean {
    const open = this.#open.get(id);
    open?.answer(admit);
    return open !== undefined;
  }

  /** Resolves with the person's word; false once the joiner goes away. */
  confirm(joiner: WaitingJoiner, signal: AbortSignal): Promise<boolean> {
    if (this.#open.size >= openMax) return Promise.resolve(false);
    return new Promise((resolve) => {
      const answer = (admit: boolean): void => {
        this.#open.delete(joiner.id);
        signal.removeEventListener('abort', leave);
        this.#changed();
        resolve(admit);
      };
      const leave = (): void => answer(false);
      signal.addEventListener('abort', leave, { once: true });
      this.#open.set(joiner.id, { joiner, answer });
      this.#changed();
    });
  }
}
