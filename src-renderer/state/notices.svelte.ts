import { failureOf } from '../../shared/contract/client.ts';
import type { Failure } from '../../shared/domain/failure.ts';

export interface Notice {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
  readonly hint: string;
}

const shownMax = 4;
const goodShownMs = 6_000;

/** Short messages at the edge of the window. Good news leaves by itself; a failure stays until it is dismissed. */
export class Notices {
  list = $state.raw<readonly Notice[]>([]);
  #next = 1;

  good(text: string, hint = ''): void {
    const id = this.#add({ tone: 'good', text, hint });
    setTimeout(() => this.dismiss(id), goodShownMs);
  }

  bad(failure: Failure): void {
    this.#add({ tone: 'bad', text: failure.message, hint: failure.hint ?? '' });
  }

  /** Runs an action and shows what went wrong. Resolves to null on failure, so the caller only handles success. */
  async attempt<Value>(action: () => Promise<Value>): Promise<Value | null> {
    try {
      return await action();
    } catch (error) {
      this.bad(failureOf(error));
      return null;
    }
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }

  #add(notice: Omit<Notice, 'id'>): number {
    const id = this.#next++;
    this.list = [...this.list, { id, ...notice }].slice(-shownMax);
    return id;
  }
}
