import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { outstandingRequestsMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import type { CommandResult, Request } from '../state-machine/command.ts';

export const tooManyOutstanding: Failure = {
  code: 'limit-reached',
  message: 'too many requests of this machine are unanswered',
  hint: 'Wait until some are answered, then try again.',
};

export interface AnsweredRequest {
  readonly request: Request;
  readonly result: CommandResult;
}

interface Waiting {
  readonly request: Request;
  sentAt: Instant | null;
  sentTo: NodeId | null;
  /** Times sent to this coordinator without having been applied here. */
  sends: number;
}

/** A request is sent again after ever longer pauses, up to so many times the first: a swarm that lags must not be flooded. */
const backoffMax = 8;

/**
 * This node's own requests that it has not yet seen applied in its own log. They are sent again, under the same
 * name, until it does: to a new coordinator at once, to the same one after a while.
 */
export class OutstandingRequests {
  readonly #retryMs: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False when too many are outstanding. */
  add(request: Request): boolean {
    if (this.#waiting.size >= outstandingRequestsMax) return false;
    this.#waiting.set(nameOf(request), { request, sentAt: null, sentTo: null, sends: 0 });
    return true;
  }

  /** Takes out and answers those that have this answer already. */
  takeAnswered(resultOf: (request: Request) => CommandResult | null): AnsweredRequest[] {
    const answered: AnsweredRequest[] = [];
    for (const { request } of this.#waiting.values()) {
      const result = resultOf(request);
      if (result !== null) answered.push({ request, result });
    }
    for (const { request } of answered) this.#waiting.delete(nameOf(request));
    return answered;
  }

  /** Seen applied, or refused for good. */
  settle(client: string, sequence: number): void {
    this.#waiting.delete(`${client}/${sequence}`);
  }

  /** A request added just now goes out at once: looking through all that wait, for each new one, would not scale. */
  markSent(now: Instant, coordinator: NodeId, request: Request): void {
    const waiting = this.#waiting.get(nameOf(request));
    if (waiting === undefined) return;
    waiting.sentAt = now;
    waiting.sentTo = coordinator;
  }

  /** What is due to be sent to this coordinator now; marks it as sent. */
  due(now: Instant, coordinator: NodeId): Request[] {
    const due: Request[] = [];
    for (const waiting of this.#waiting.values()) {
      const fresh = waiting.sentTo !== coordinator || waiting.sentAt === null;
      const pauseMs = this.#retryMs * Math.min(backoffMax, 2 ** (waiting.sends - 1));
      if (!fresh && now - (waiting.sentAt ?? now) < pauseMs) continue;
      waiting.sends = fresh ? 1 : waiting.sends + 1;
      waiting.sentAt = now;
      waiting.sentTo = coordinator;
      due.push(waiting.request);
    }
    return due;
  }

  /** Whoever was asked may not coordinate any more: everything is due again. */
  sendAgain(): void {
    for (const waiting of this.#waiting.values()) waiting.sentAt = null;
  }

  /** A refusal that may pass: the next retry sends it again. */
  postpone(now: Instant, client: string, sequence: number): void {
    const waiting = this.#waiting.get(`${client}/${sequence}`);
    if (waiting !== undefined) waiting.sentAt = now;
  }

  find(sequence: number): Request | undefined {
    for (const { request } of this.#waiting.values()) if (request.sequence === sequence) return request;
    return undefined;
  }
}

const nameOf = (request: Request): string => `${request.client}/${request.sequence}`;
