import type { Result } from '../../../shared/domain/failure.ts';
import type { KvAnswer } from '../../../src-main/core/kv/records.ts';
import type { CommandResult, Request } from '../../../src-main/core/state-machine/command.ts';
import type { StateEvent } from '../../../src-main/core/state-machine/events.ts';
import type { Fields, Operation } from '../../checkers/history.ts';
import { checkWindows } from '../../checkers/windows.ts';
import { checkWitness } from '../../checkers/witness.ts';
import type { AgreedEntry, Broken, Checker } from './checker.ts';

/** An operation whose end may still move: until its client hears of it, it ends where the log has it first. */
type Draft = { -readonly [Field in keyof Operation]: Operation[Field] };

const bySwarm = { client: 'swarm' };

/** What one part of a transaction told: the value, when it was a look. */
const seenIn = (answer: KvAnswer | undefined): Fields =>
  answer?.type === 'got' ? { value: answer.entry?.value ?? null } : {};

/** Commands whose requests are operations of a history. Months of renewals are not remembered. */
const told: ReadonlySet<string> = new Set(['lock-requested', 'lock-released', 'job-submitted', 'kv-transacted']);
/** What is recorded of one run; a prefix of a history is judged as well as the whole. */
const operationsMax = 200_000;
/** Steps of the search in one window. */
const configurationsMax = 50_000;

/** How names of locks begin that are not only exclusive. */
export const otherKinds = 'any/';

const nameOf = ({ client, sequence }: Pick<Request, 'client' | 'sequence'>): string => `${client}/${sequence}`;

/**
 * P5: what clients asked and were told, as the history of independent objects, judged by models that share nothing
 * with the product: the witness check over all of it, the search over short windows.
 */
export class Histories implements Checker {
  readonly name = 'histories';
  readonly #broken: Broken;
  readonly #asked = new Map<string, number>();
  readonly #seen = new Set<string>();
  readonly #drafts = new Map<string, Draft[]>();
  readonly #operations: Draft[] = [];
  /** When the request of each waiting owner began. */
  readonly #waiting = new Map<string, number>();
  /** Tokens of locks that were lost, by lock and slot. */
  readonly #delayed = new Map<string, number>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  asked(client: string, sequence: number, now: number): void {
    this.#asked.set(nameOf({ client, sequence }), now);
  }

  answered(client: string, sequence: number, result: Result<CommandResult>, now: number): void {
    const name = nameOf({ client, sequence });
    const drafts = this.#drafts.get(name) ?? [];
    this.#asked.delete(name);
    this.#drafts.delete(name);
    if (!result.ok) return;
    for (const [part, draft] of drafts.entries()) {
      draft.end = now;
      // What the client was really told is what is judged.
      if (result.value.type === 'lock-granted') draft.result = { token: result.value.token };
      if (result.value.type === 'job-accepted') draft.result = { job: result.value.job };
      if (result.value.type === 'kv-transacted') draft.result = seenIn(result.value.answers[part]);
    }
  }

  /** A linearizable read ended here: what it saw of a key, in a state that has everything up to `index`. */
  read(client: string, key: string, value: string | null, index: number, start: number, now: number): void {
    this.#push({ client, kind: 'get', key, arguments: {}, result: { value }, start, end: now, index });
  }

  onAgreed({ slot, request, result, events }: AgreedEntry, now: number): void {
    if (request !== null && told.has(request.command.type) && !this.#seen.has(nameOf(request))) {
      this.#seen.add(nameOf(request));
      this.#ofRequest(slot, request, result, now);
    }
    for (const event of events) this.#ofEvent(slot, request, event, now);
  }

  #ofRequest(slot: number, request: Request, result: CommandResult, now: number): void {
    const { command } = request;
    const refusal = result.type === 'refused' ? result.failure.code : null;
    if (command.type === 'lock-requested') {
      if (result.type === 'lock-granted' && result.token === slot)
        this.#draft(request, 'acquire', command.name, {}, { token: result.token }, slot, now);
      else if (result.type === 'lock-waiting' || (refusal === 'precondition-failed' && !command.wait))
        this.#draft(request, 'acquire', command.name, {}, { held: true }, slot, now);
      if (result.type === 'lock-waiting')
        this.#waiting.set(`${command.session} ${command.owner}`, this.#asked.get(nameOf(request)) ?? now);
    } else if (command.type === 'lock-released') {
      const released = result.type === 'done' ? true : refusal === 'precondition-failed' ? false : null;
      if (released !== null)
        this.#draft(request, 'release', command.name, { token: command.token }, { released }, slot, now);
    } else if (command.type === 'kv-transacted' && result.type === 'kv-transacted') {
      // Its parts, each on its own key, all at one place of the log.
      const branch = result.succeeded ? command.thenOperations : command.elseOperations;
      for (const [part, operation] of branch.entries()) {
        const given: Fields = operation.type === 'put' ? { value: operation.value } : {};
        this.#draft(request, operation.type, operation.key, given, seenIn(result.answers[part]), slot, now);
      }
    } else if (command.type === 'job-submitted' && result.type === 'job-accepted') {
      this.#draft(request, 'submit', 'jobs', { tasks: command.taskCount }, { job: result.job }, slot, now);
    }
  }

  #ofEvent(index: number, request: Request | null, event: StateEvent, now: number): void {
    const command = request?.command;
    // Locks of other kinds have a model of their own.
    if ('name' in event && event.name.startsWith(otherKinds)) return;
    if (event.type === 'kv-changed') {
      for (const change of event.changes) {
        if (change.type !== 'removed' || change.cause !== 'session-ended') continue;
        this.#push({
          ...bySwarm,
          kind: 'delete',
          key: change.key,
          arguments: {},
          result: {},
          start: now,
          end: now,
          index,
        });
      }
    } else if (event.type === 'lock-delay-ended') {
      const token = this.#delayed.get(`${event.name}@${event.since}`);
      if (token !== undefined) this.#ended(event.name, token, index, now);
    } else if (event.type === 'lock-ended' && event.delayMs > 0) {
      // To everyone else a lost lock is held until its delay is over.
      this.#delayed.set(`${event.name}@${index}`, event.token);
    } else if (event.type === 'lock-granted') {
      // One that was granted at once is the client's own operation.
      if (command?.type === 'lock-requested' && command.owner === event.owner) return;
      const waiter = `${event.session} ${event.owner}`;
      this.#push({
        client: waiter,
        kind: 'acquire',
        key: event.name,
        arguments: {},
        result: { token: event.token },
        start: this.#waiting.get(waiter) ?? now,
        end: now,
        index,
      });
    } else if (event.type === 'lock-ended' && command?.type !== 'lock-released') {
      this.#ended(event.name, event.token, index, now);
    }
  }

  #ended(key: string, token: number, index: number, now: number): void {
    const told = { arguments: { token }, result: { released: true }, start: now, end: now, index };
    this.#push({ client: 'swarm', kind: 'release', key, ...told });
  }

  #draft(request: Request, kind: string, key: string, given: Fields, result: Fields, index: number, now: number): void {
    const start = this.#asked.get(nameOf(request)) ?? now;
    const draft: Draft = { client: request.client, kind, key, arguments: given, result, start, end: now, index };
    this.#drafts.set(nameOf(request), [...(this.#drafts.get(nameOf(request)) ?? []), draft]);
    this.#push(draft);
  }

  #push(operation: Draft): void {
    if (this.#operations.length < operationsMax) this.#operations.push(operation);
  }

  /**
   * Judges the whole run. Called once, at its end. Windows in which too much overlaps for the search are counted, not
   * broken: the witness check has judged their operations. Its bound is a number of steps, so that a seed stays a seed.
   */
  judge(): { readonly windows: number; readonly undecided: number } {
    const [problem] = checkWitness(this.#operations);
    if (problem !== undefined) this.#broken('witness', problem);
    const { verdict, detail, windows, undecided } = checkWindows(this.#operations, {
      withinMs: Number.POSITIVE_INFINITY,
      configurationsMax,
    });
    if (verdict === 'violation') this.#broken('linearizability', detail);
    return { windows, undecided };
  }
}
