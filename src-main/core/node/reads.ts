import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import { outstandingReadsMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import type { NodeEvent } from './messages.ts';

/** A read that no coordinator has answered for this long fails; reading has no effect, so nothing is lost. */
export const readPatienceMs = 10_000;

interface Attempt {
  readonly number: number;
  readonly sentAt: Instant;
  readonly to: NodeId;
  readonly reads: readonly number[];
}

export interface ReadsOptions {
  /** Where attempts are counted from: differs between runs, so that a late answer to an earlier run is not taken. */
  readonly firstAttempt: number;
  /** An unanswered attempt is given up after this, and a fresh one takes its place. */
  readonly retryMs: number;
  readonly emit: (event: NodeEvent) => void;
  /** Asks the coordinator, which may be this node. */
  readonly ask: (coordinator: NodeId, attempt: number) => void;
}

/**
 * Linearizable reads of this node: it asks the coordinator how far the log had come at some moment after the read
 * began, and waits until the own state has come that far. Every attempt has a number of its own, because the answer to
 * an earlier one may be from before a read that joined later. One attempt at a time is under way.
 */
export class Reads {
  readonly #options: ReadsOptions;
  /** Not answered by a coordinator yet: when they began. */
  readonly #asking = new Map<number, Instant>();
  /** Answered, but the own state has not come that far. */
  readonly #behind = new Map<number, { readonly since: Instant; readonly index: Slot }>();
  #attempt: Attempt | null = null;
  #attempts: number;
  /** Whoever was asked could not answer: not asked again before some time has passed. */
  #refused = false;

  constructor(options: ReadsOptions) {
    this.#options = options;
    this.#attempts = options.firstAttempt;
  }

  get size(): number {
    return this.#asking.size + this.#behind.size;
  }

  request(now: Instant, id: number): void {
    if (this.size >= outstandingReadsMax) this.#fail(id, tooManyReads);
    else this.#asking.set(id, now);
  }

  /** Answers that are not for the attempt under way come too late. */
  onAnswer(from: NodeId, answer: { readonly attempt: number; readonly slot: Slot | null }): void {
    const attempt = this.#attempt;
    if (attempt?.number !== answer.attempt || attempt.to !== from) return;
    this.#attempt = null;
    const index = answer.slot;
    if (index === null) {
      this.#refused = true;
      return;
    }
    for (const id of attempt.reads) {
      const since = this.#asking.get(id);
      if (since === undefined) continue;
      this.#asking.delete(id);
      this.#behind.set(id, { since, index });
    }
  }

  /** Another coordinator, or none: whoever was asked is not waited for. */
  coordinatorChanged(): void {
    this.#attempt = null;
    this.#refused = false;
  }

  /** Asks for reads that wait for an answer, tells those that the own state has caught up with. */
  advance(now: Instant, coordinator: NodeId | null, committed: Slot): void {
    if (this.#asking.size > 0) this.#ask(now, coordinator);
    for (const [id, { index }] of this.#behind) {
      if (index > committed) continue;
      this.#behind.delete(id);
      this.#options.emit({ type: 'read-ready', id, slot: index });
    }
  }

  /** Now and then: gives up an attempt that is unanswered, and reads that have waited for too long. */
  expire(now: Instant, coordinator: NodeId | null): void {
    this.#refused = false;
    if (this.#attempt !== null && now - this.#attempt.sentAt >= this.#options.retryMs) this.#attempt = null;
    for (const [id, since] of this.#asking) {
      if (now - since <= readPatienceMs) break;
      this.#fail(id, coordinator === null ? noCoordinator : unanswered);
    }
    for (const [id, { since }] of this.#behind) if (now - since > readPatienceMs) this.#fail(id, farBehind);
  }

  #ask(now: Instant, coordinator: NodeId | null): void {
    if (coordinator === null || this.#attempt !== null || this.#refused) return;
    this.#attempts += 1;
    this.#attempt = { number: this.#attempts, sentAt: now, to: coordinator, reads: [...this.#asking.keys()] };
    this.#options.ask(coordinator, this.#attempts);
  }

  #fail(id: number, failure: Failure): void {
    this.#asking.delete(id);
    this.#behind.delete(id);
    this.#options.emit({ type: 'read-failed', id, failure });
  }
}

const tooManyReads: Failure = {
  code: 'limit-reached',
  message: `${outstandingReadsMax} reads of this machine are unanswered`,
  hint: 'Wait until some are answered, then try again.',
};

const noCoordinator: Failure = {
  code: 'no-coordinator',
  message: `No coordinator was found within ${readPatienceMs / 1_000} s that could say how far the log is.`,
  hint: 'Wait until a majority of the voters is reachable, or read what this machine knows.',
};

const unanswered: Failure = {
  code: 'timed-out',
  message: `The coordinator did not say within ${readPatienceMs / 1_000} s how far the log is.`,
  hint: 'Try again, or read what this machine knows.',
};

const farBehind: Failure = {
  code: 'timed-out',
  message: `This machine did not catch up with the log within ${readPatienceMs / 1_000} s.`,
  hint: 'Try again in a moment, or read what this machine knows.',
};
