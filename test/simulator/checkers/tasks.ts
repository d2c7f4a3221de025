import type { JobId } from '../../../shared/domain/ids.ts';
import type { AttemptKey } from '../../../src-main/core/tasks/commands.ts';
import type { AgreedEntry, Broken, Checker } from './checker.ts';

const taskOf = ({ job, index }: AttemptKey): string => `${job}.${index}`;

/**
 * T2: at most one accepted completion per task, by the attempt that is live; T3: no second attempt while one lives;
 * T1: no accepted job is lost.
 */
export class Tasks implements Checker {
  readonly name = 'tasks';
  readonly #broken: Broken;
  readonly #live = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly #succeeded = new Map<string, number>();
  readonly #accepted = new Set<JobId>();
  readonly #retried = new Set<JobId>();
  /** Reports seen; a repetition answers the same and changes nothing. */
  readonly #finished = new Set<string>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  /** Every job the log accepted and did not remove. */
  get accepted(): ReadonlySet<JobId> {
    return this.#accepted;
  }

  /** Grows with every attempt that ends and every job that changes: what stands still is stuck. */
  get changes(): number {
    return this.#changes;
  }
  #changes = 0;

  onAgreed({ slot, request, result, events }: AgreedEntry): void {
    const command = request?.command;
    const ofLive =
      command?.type === 'attempts-finished' ? command.results.filter((key) => this.#isLive(key)).length : 0;
    if (command?.type === 'tasks-retried') this.#retried.add(command.job);
    for (const event of events) {
      if (event.type === 'job-submitted') {
        if (this.#accepted.has(event.job)) this.#broken('job numbers', `slot ${slot} numbers job ${event.job} again`);
        this.#accepted.add(event.job);
      } else if (event.type === 'job-removed') this.#accepted.delete(event.job);
      else if (event.type === 'attempt-assigned') this.#assign(event.key, slot);
      else if (event.type === 'attempt-ended') this.#end(event.key, event.state, slot);
      if (event.type === 'attempt-ended') this.#changes += 1;
    }
    if (
      command?.type !== 'attempts-finished' ||
      request === null ||
      this.#finished.has(`${request.client}/${request.sequence}`)
    )
      return;
    this.#finished.add(`${request.client}/${request.sequence}`);
    if (result.type === 'tasks-changed') {
      const ended = events.filter((event) => event.type === 'attempt-ended').length;
      if (ended !== result.count)
        this.#broken('completion', `slot ${slot} says ${result.count} results were accepted, events say ${ended}`);
      if (result.count > ofLive)
        this.#broken('stale result', `slot ${slot} accepts ${result.count} results, of live attempts are ${ofLive}`);
    }
  }

  #isLive(key: AttemptKey): boolean {
    return this.#live.get(taskOf(key)) === key.token && this.#attempts.get(taskOf(key)) === key.attempt;
  }

  #assign(key: AttemptKey, slot: number): void {
    const task = taskOf(key);
    const live = this.#live.get(task);
    if (live !== undefined)
      this.#broken('one live attempt', `slot ${slot} assigns ${task} while attempt with token ${live} lives`);
    if (key.token !== slot) this.#broken('token growth', `slot ${slot} assigns ${task} with token ${key.token}`);
    const attempt = this.#attempts.get(task) ?? 0;
    if (key.attempt !== attempt + 1)
      this.#broken('attempt numbers', `slot ${slot} starts attempt ${key.attempt} of ${task} after ${attempt}`);
    if (this.#succeeded.has(task) && !this.#retried.has(key.job))
      this.#broken('completion', `slot ${slot} assigns ${task}, which has succeeded`);
    this.#live.set(task, key.token);
    this.#attempts.set(task, key.attempt);
  }

  #end(key: AttemptKey, state: string, slot: number): void {
    const task = taskOf(key);
    if (this.#live.get(task) !== key.token)
      this.#broken('completion', `slot ${slot} ends ${task} for token ${key.token}, which is not live`);
    this.#live.delete(task);
    if (state !== 'succeeded') return;
    if (this.#succeeded.has(task) && !this.#retried.has(key.job))
      this.#broken('completion', `slot ${slot} completes ${task} again`);
    this.#succeeded.set(task, key.token);
  }
}
