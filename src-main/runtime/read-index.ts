import { fail, ok, type Failure, type Result } from '../../shared/domain/failure.ts';
import type { Slot } from '../../shared/domain/ids.ts';
import type { NodeEvent } from '../core/node/messages.ts';

type Answer = (result: Result<Slot>) => void;

/**
 * Matches linearizable reads with who asked. The node bounds how many are unanswered and how long each may take, so
 * every promise given out here settles while the node runs, and with `end` when it halts.
 */
export class ReadIndex {
  readonly #submit: (id: number) => void;
  readonly #pending = new Map<number, Answer>();
  #id = 0;
  #ended: Failure | null = null;

  /** `submit` hands a read to the node. */
  constructor(submit: (id: number) => void) {
    this.#submit = submit;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Answers once the local state holds everything that was complete when this was called; `slot` is a slot it has
   * come to. Failures: `no-coordinator`, `timed-out`, `limit-reached`, `cancelled` by the signal, or why the node halted.
   */
  readIndex(signal?: AbortSignal): Promise<Result<Slot>> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve(givenUp);
        return;
      }
      const abort = (): void => this.#settle(id, givenUp);
      signal?.addEventListener('abort', abort, { once: true });
      const id = this.submit((result) => {
        signal?.removeEventListener('abort', abort);
        resolve(result);
      });
    });
  }

  /** As `readIndex`, with a callback that is called before anything else can change the state. Answers the read's number. */
  submit(answer: Answer): number {
    const id = ++this.#id;
    if (this.#ended !== null) {
      answer({ ok: false, failure: this.#ended });
      return id;
    }
    this.#pending.set(id, answer);
    this.#submit(id);
    return id;
  }

  /** Told every event of the node. */
  onEvent(event: NodeEvent): void {
    if (event.type === 'read-ready') this.#settle(event.id, ok(event.slot));
    else if (event.type === 'read-failed') this.#settle(event.id, { ok: false, failure: event.failure });
  }

  /** The node has halted: nobody will answer. */
  end(failure: Failure): void {
    this.#ended = failure;
    for (const id of [...this.#pending.keys()]) this.#settle(id, { ok: false, failure });
  }

  #settle(id: number, result: Result<Slot>): void {
    const answer = this.#pending.get(id);
    this.#pending.delete(id);
    answer?.(result);
  }
}

const givenUp = fail('cancelled', 'Waiting for the read was given up.');
