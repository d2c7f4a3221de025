import type { KvKey, SessionId } from '../../../shared/domain/ids.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import type { KvCommand, KvCompare, KvOperation } from '../../../src-main/core/kv/commands.ts';
import type { KvAnswer, KvChange } from '../../../src-main/core/kv/records.ts';
import { keyOf, revisionOf } from '../../../src-main/core/kv/records.ts';
import type { CommandResult } from '../../../src-main/core/state-machine/command.ts';
import { canonical } from './canonical.ts';
import type { AgreedEntry, Broken, Checker } from './checker.ts';

interface Held {
  readonly value: string;
  readonly created: number;
  readonly revision: number;
  readonly version: number;
  readonly session: SessionId | null;
}

const brief = (change: KvChange): string => `${change.type} ${keyOf(change)}@${revisionOf(change)}`;

/**
 * P5 for keys and values, by witness: the log is the order, so every answer is what a plain map gives at its slot, and
 * a request that was asked after another was answered has a later slot. Watchers are told each change once, in order.
 */
export class KeyValues implements Checker {
  readonly name = 'key-values';
  readonly #broken: Broken;
  readonly #map = new Map<KvKey, Held>();
  readonly #locks = new Map<string, number>();
  readonly #changes: KvChange[] = [];
  /** The latest slot whose answer anybody has, and what it was when a request was asked. */
  #answered = 0;
  readonly #askedAfter = new Map<string, number>();
  readonly #slots = new Map<string, number>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  onAgreed({ slot, request, result, events }: AgreedEntry): void {
    this.#order(slot, request);
    const told = events.flatMap((event) => (event.type === 'kv-changed' ? event.changes : []));
    const expected: string[] = [];
    if (
      request?.command.type === 'kv-transacted' &&
      result.type === 'kv-transacted' &&
      !this.#isRepeat(slot, request)
    ) {
      expected.push(...this.#transact(slot, request.command, result));
    }
    for (const event of events) {
      if (event.type === 'session-ended') expected.push(...this.#endSession(slot, event.session));
      if (event.type === 'lock-granted') this.#locks.set(event.name, event.token);
      if (event.type === 'lock-ended') this.#locks.delete(event.name);
    }
    if (canonical(told.map(brief)) !== canonical(expected)) {
      this.#broken('key-value changes', `slot ${slot} changes ${told.map(brief).join()}, not ${expected.join()}`);
    }
    this.#changes.push(...told);
  }

  asked(client: string, sequence: number): void {
    this.#askedAfter.set(`${client}/${sequence}`, this.#answered);
  }

  acknowledged(client: string, sequence: number, result: Result<CommandResult>): void {
    const at = this.#slots.get(`${client}/${sequence}`);
    if (result.ok && at !== undefined) this.#answered = Math.max(this.#answered, at);
  }

  /** A watcher that has come up to `next` is told these. */
  watched(who: string, next: number, changes: readonly KvChange[]): void {
    const start = this.#changes.findIndex((change) => revisionOf(change) >= next);
    const expected = start < 0 ? [] : this.#changes.slice(start, start + changes.length);
    if (canonical(expected) !== canonical(changes)) {
      this.#broken(
        'watch without gap',
        `${who} is told ${changes.map(brief).join()}, not ${expected.map(brief).join()}`,
      );
    }
  }

  #order(slot: number, request: AgreedEntry['request']): void {
    if (request === null || request.sequence === 0) return;
    const name = `${request.client}/${request.sequence}`;
    const after = this.#askedAfter.get(name);
    if (this.#slots.has(name)) return;
    this.#slots.set(name, slot);
    if (after !== undefined && slot <= after)
      this.#broken('real-time order', `${name} has slot ${slot}, but slot ${after} was answered before it was asked`);
  }

  #isRepeat(slot: number, request: NonNullable<AgreedEntry['request']>): boolean {
    return this.#slots.get(`${request.client}/${request.sequence}`) !== slot;
  }

  #transact(slot: number, command: KvCommand, result: Extract<CommandResult, { type: 'kv-transacted' }>): string[] {
    const succeeded = command.compares.every((compare) => this.#holds(compare));
    const operations = succeeded ? command.thenOperations : command.elseOperations;
    const changes: string[] = [];
    const answers = operations.map((operation) => this.#carryOut(slot, operation, changes));
    const given = result.answers.map(shortAnswer);
    if (result.succeeded !== succeeded || canonical(given) !== canonical(answers)) {
      this.#broken(
        'key-value answers',
        `slot ${slot} answers ${result.succeeded} ${canonical(given)}, not ${succeeded} ${canonical(answers)}`,
      );
    }
    return changes;
  }

  #holds(compare: KvCompare): boolean {
    if (compare.type === 'lock') return this.#locks.get(compare.name) === compare.token;
    const held = this.#map.get(compare.key);
    if (compare.type === 'value') return (held?.value === compare.value) === (compare.relation === 'equal');
    const [found, wanted] =
      compare.type === 'version'
        ? [held?.version ?? 0, compare.version]
        : [(compare.type === 'created' ? held?.created : held?.revision) ?? 0, compare.revision];
    const sign = Math.sign(found - wanted);
    return { equal: sign === 0, 'not-equal': sign !== 0, less: sign < 0, greater: sign > 0 }[compare.relation];
  }

  #carryOut(slot: number, operation: KvOperation, changes: string[]): unknown {
    const { key } = operation;
    const held = this.#map.get(key);
    if (operation.type === 'get') return ['got', key, held?.value ?? null, held?.revision ?? 0];
    if (operation.type === 'delete') {
      if (held !== undefined) changes.push(`removed ${key}@${slot}`);
      this.#map.delete(key);
      return ['deleted', key, held?.revision ?? 0];
    }
    const { value, session } = operation;
    const version = (held?.version ?? 0) + 1;
    this.#map.set(key, { value, session, version, revision: slot, created: held?.created ?? slot });
    changes.push(`put ${key}@${slot}`);
    return ['put', key, held?.revision ?? 0, version];
  }

  #endSession(slot: number, session: SessionId): string[] {
    const keys = [...this.#map].filter(([, held]) => held.session === session).map(([key]) => key);
    for (const key of keys) this.#map.delete(key);
    return keys.sort((left, right) => (left < right ? -1 : 1)).map((key) => `removed ${key}@${slot}`);
  }
}

function shortAnswer(answer: KvAnswer): unknown {
  if (answer.type === 'got') return ['got', answer.key, answer.entry?.value ?? null, answer.entry?.revision ?? 0];
  return answer.type === 'put'
    ? ['put', answer.key, answer.previous, answer.version]
    : ['deleted', answer.key, answer.previous];
}
