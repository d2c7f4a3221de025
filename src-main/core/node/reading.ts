import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import type { NodeEvent, NodeMessage, ReadMessage } from './messages.ts';
import { ReadRounds, type ReadableReplica, type ReadAnswer } from './read-rounds.ts';
import { Reads } from './reads.ts';

export interface ReadingOptions {
  readonly self: NodeId;
  /** See `ReadsOptions`. */
  readonly firstAttempt: number;
  readonly retryMs: number;
  readonly replica: ReadableReplica & { readonly phase: 'idle' | 'preparing' | 'leading' };
  readonly coordinator: () => NodeId | null;
  readonly send: (to: NodeId, message: NodeMessage) => void;
  readonly emit: (event: NodeEvent) => void;
}

/** Linearizable reads: those of this node, and those it answers while it coordinates. */
export class Reading {
  readonly #options: ReadingOptions;
  readonly #reads: Reads;
  readonly #rounds = new ReadRounds();

  constructor(options: ReadingOptions) {
    const { self, firstAttempt, retryMs, emit, send } = options;
    this.#options = options;
    this.#reads = new Reads({
      firstAttempt,
      retryMs,
      emit,
      ask: (coordinator, attempt) => {
        if (coordinator === self) this.#rounds.ask(self, attempt);
        else send(coordinator, { type: 'read-index', attempt });
      },
    });
  }

  request(now: Instant, id: number): void {
    this.#reads.request(now, id);
  }

  onMessage(from: NodeId, message: ReadMessage): void {
    if (message.type === 'read-index-answer') this.#reads.onAnswer(from, message);
    else if (this.#options.replica.phase === 'leading') this.#rounds.ask(from, message.attempt);
    else this.#answer([{ to: from, attempt: message.attempt, slot: null }]);
  }

  /** Lets whatever has become possible happen, until nothing more follows: answers to itself may let it ask again. */
  advance(now: Instant): void {
    let answers: ReadAnswer[];
    do {
      this.#advanceOwn(now);
      answers = this.#rounds.advance(now, this.#options.replica);
      this.#answer(answers);
    } while (answers.length > 0);
  }

  #advanceOwn(now: Instant): void {
    this.#reads.advance(now, this.#options.coordinator(), this.#options.replica.committed);
  }

  /** Whoever was asked may not coordinate any more. */
  askAgain(): void {
    this.#reads.coordinatorChanged();
  }

  /** Fails what has waited for too long. */
  expire(now: Instant): void {
    this.#reads.expire(now, this.#options.coordinator());
  }

  /** This node coordinates no more: whoever asked it asks elsewhere. */
  endCoordination(): void {
    this.#answer(this.#rounds.end());
  }

  #answer(answers: readonly ReadAnswer[]): void {
    const { self, send } = this.#options;
    for (const { to, attempt, slot } of answers) {
      if (to === self) this.#reads.onAnswer(to, { attempt, slot });
      else send(to, { type: 'read-index-answer', attempt, slot });
    }
  }
}
