import { fail, ok, type Failure, type Result } from '../../shared/domain/failure.ts';
import { outstandingRequestsMax } from '../core/machine/limits.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { Command, CommandResult, Request } from '../core/state-machine/command.ts';
import type { Clock } from '../ports/clock.ts';
import { normalised } from '../wire/commands.ts';

export interface RequestsOptions {
  /** Names this run of the process; no two runs share it. */
  readonly client: string;
  readonly clock: Clock;
  /** Hands a request to the node, which proposes it again under the same name until it is applied. */
  readonly submit: (request: Request) => void;
  /** Whether a coordinator is known, for the words of a time-out. */
  readonly hasCoordinator: () => boolean;
}

export interface ProposeOptions {
  /** Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

type Answer = (result: Result<CommandResult>) => void;

export const proposeTimeoutMs = 30_000;

/**
 * The client side of at-most-once requests (RIFL, SOSP 2015, section 4): numbers them, matches what is applied with
 * who asked. Giving up waiting does not take a request back: it may still take effect, and its number counts as
 * unanswered until it does.
 */
export class Requests {
  readonly #options: RequestsOptions;
  /** By sequence, in the order asked. `null`: nobody waits any more, but it is still under way. */
  readonly #pending = new Map<number, Answer | null>();
  #sequence = 0;
  #ended: Failure | null = null;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /**
   * Answers what applying the command answered; a refusal is a failure. `unknown-outcome` and `no-coordinator` say
   * that it was not seen applied in time and may still be; `limit-reached` and `bad-input`, that it never left.
   */
  propose(
    command: Command,
    { timeoutMs = proposeTimeoutMs, signal }: ProposeOptions = {},
  ): Promise<Result<CommandResult>> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve(fail('cancelled', 'The request was given up before it was sent.'));
        return;
      }
      let stopWaiting: ((failure: Failure) => void) | null = null;
      const abort = (): void => stopWaiting?.(cancelled);
      signal?.addEventListener('abort', abort, { once: true });
      stopWaiting = this.submit(command, timeoutMs, (result) => {
        signal?.removeEventListener('abort', abort);
        resolve(result);
      });
    });
  }

  /** As `propose`, with a callback, never called from within this call unless the request cannot leave. Returns a way to stop waiting. */
  submit(command: Command, timeoutMs: number, answer: Answer): (failure: Failure) => void {
    const request = this.#number(command);
    if (!request.ok) {
      answer(request);
      return () => undefined;
    }
    const { sequence } = request.value;
    const settle = (result: Result<CommandResult>): void => {
      cancelTimer();
      answer(result);
    };
    const cancelTimer = this.#options.clock.setTimer(timeoutMs, () =>
      this.#stopWaiting(sequence, this.#timedOut(command, timeoutMs)),
    );
    this.#pending.set(sequence, settle);
    this.#options.submit(request.value);
    return (failure) => this.#stopWaiting(sequence, failure);
  }

  /** Told every event of the node. */
  onEvent(event: NodeEvent): void {
    const answers = event.type === 'applied' || event.type === 'request-answered';
    if (answers && event.request?.client === this.#options.client) {
      const { result } = event;
      this.#settle(
        event.request.sequence,
        result.type === 'refused' ? { ok: false, failure: result.failure } : ok(result),
      );
    } else if (event.type === 'request-refused') {
      this.#settle(event.sequence, { ok: false, failure: event.failure });
    }
  }

  /** The node has halted: whoever waits learns that the outcome is unknown. */
  end(failure: Failure): void {
    this.#ended = failure;
    for (const [sequence] of [...this.#pending]) this.#settle(sequence, { ok: false, failure: unknownAfter(failure) });
  }

  #number(command: Command): Result<Request> {
    if (this.#ended !== null) return { ok: false, failure: this.#ended };
    if (this.#pending.size >= outstandingRequestsMax) return { ok: false, failure: tooMany };
    const sequence = this.#sequence + 1;
    const [lowest = sequence] = this.#pending.keys();
    const request = normalised({ client: this.#options.client, sequence, answeredBelow: lowest, command });
    if (request.ok) this.#sequence = sequence;
    return request;
  }

  #settle(sequence: number, result: Result<CommandResult>): void {
    const answer = this.#pending.get(sequence);
    this.#pending.delete(sequence);
    answer?.(result);
  }

  /** The sequence stays pending: naming it answered would let the swarm forget a request that may still arrive. */
  #stopWaiting(sequence: number, failure: Failure): void {
    const answer = this.#pending.get(sequence);
    if (answer === null || answer === undefined) return;
    this.#pending.set(sequence, null);
    // `settle` also cancels the timer, which has fired or is no longer needed.
    answer({ ok: false, failure });
  }

  #timedOut(command: Command, timeoutMs: number): Failure {
    const seconds = Math.ceil(timeoutMs / 1_000);
    if (this.#options.hasCoordinator()) {
      const message = `No answer to ${command.type} within ${seconds} s: it may have taken effect or may still do so.`;
      return { code: 'unknown-outcome', message, hint: 'Look at the current state before you ask again.' };
    }
    const message = `No coordinator was found within ${seconds} s for ${command.type}. It takes effect when there is one, if this machine still runs then.`;
    return { code: 'no-coordinator', message, hint: 'Wait until a majority of the voters is reachable.' };
  }
}

const cancelled: Failure = {
  code: 'cancelled',
  message: 'Waiting for the answer was given up; the request may still take effect.',
};

const tooMany: Failure = {
  code: 'limit-reached',
  message: `This machine has ${outstandingRequestsMax} requests unanswered.`,
  hint: 'Wait until some are answered, then try again.',
};

const unknownAfter = (failure: Failure): Failure => ({
  code: 'unknown-outcome',
  message: `The node stopped before the answer came: ${failure.message}`,
  hint: 'Look at the current state after a restart before you ask again.',
});
