import type { SessionId } from '../../shared/domain/ids.ts';
import type { Result } from '../../shared/domain/failure.ts';
import { tasksPerCommandMax } from '../core/machine/limits.ts';
import type { Command } from '../core/state-machine/command.ts';
import type { AttemptKey, AttemptProgress, AttemptResult } from '../core/tasks/commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

/** Reports that come within this time share one log entry. */
const windowMs = 5;
/** A task that ends within this time needs no word about its beginning. */
const progressWindowMs = 25;
/** Waits before a report that could not be placed is sent again; it is kept until its attempt is over in the log. */
const resendMs = 1_000;

export interface AttemptReportsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly session: () => SessionId | null;
  readonly propose: (command: Command) => Promise<Result<unknown>>;
  /** Whether the log still waits for this attempt: only then is a report worth repeating. */
  readonly live: (key: AttemptKey) => boolean;
}

/** Gathers what the attempts of this machine report into few log entries. Progress is a courtesy, results are repeated. */
export class AttemptReports {
  readonly #options: AttemptReportsOptions;
  #progress: AttemptProgress[] = [];
  #results: AttemptResult[] = [];
  #flush: { readonly at: number; readonly cancel: () => void } | null = null;
  #stopped = false;

  constructor(options: AttemptReportsOptions) {
    this.#options = options;
  }

  progressed(key: AttemptKey, state: AttemptProgress['state']): void {
    // Only the latest state of an attempt is news.
    this.#progress = this.#progress.filter(
      (entry) => entry.token !== key.token || entry.job !== key.job || entry.index !== key.index,
    );
    this.#progress.push({ ...keyOf(key), state });
    this.#flushSoon(progressWindowMs);
  }

  finished(result: AttemptResult): void {
    this.#results.push(result);
    this.#flushSoon(windowMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#flush?.cancel();
  }

  /** An earlier wish moves the flush forward, never back. */
  #flushSoon(afterMs: number): void {
    const { clock } = this.#options;
    const at = clock.now() + afterMs;
    if (this.#stopped || (this.#flush !== null && this.#flush.at <= at)) return;
    this.#flush?.cancel();
    const cancel = clock.setTimer(afterMs, () => {
      this.#flush = null;
      this.#sendAll();
    });
    this.#flush = { at, cancel };
  }

  #sendAll(): void {
    const session = this.#options.session();
    if (session === null) {
      if (this.#results.length > 0) this.#flushSoon(resendMs);
      return;
    }
    const finishedTokens = new Set(this.#results.map((result) => `${result.job}.${result.index}.${result.token}`));
    const changes = this.#progress
      .splice(0)
      .filter((change) => !finishedTokens.has(`${change.job}.${change.index}.${change.token}`));
    for (let offset = 0; offset < changes.length; offset += tasksPerCommandMax) {
      void this.#options.propose({
        type: 'attempts-progressed',
        session,
        changes: changes.slice(offset, offset + tasksPerCommandMax),
      });
    }
    const results = this.#results.splice(0);
    for (let offset = 0; offset < results.length; offset += tasksPerCommandMax) {
      void this.#send(session, results.slice(offset, offset + tasksPerCommandMax));
    }
  }

  async #send(session: SessionId, results: readonly AttemptResult[]): Promise<void> {
    const answer = await this.#options.propose({ type: 'attempts-finished', session, results });
    if (answer.ok) return;
    this.#options.logger.warn('results could not be reported', {
      count: results.length,
      reason: answer.failure.message,
    });
    this.#results.push(...results.filter((result) => this.#options.live(result)));
    if (this.#results.length > 0) this.#flushSoon(resendMs);
  }
}

const keyOf = ({ job, index, attempt, token }: AttemptKey): AttemptKey => ({ job, index, attempt, token });
