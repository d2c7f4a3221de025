import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Failure, Result } from '../../../shared/domain/failure.ts';
import { compareText } from '../../../shared/domain/ids.ts';
import type { KvKey, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';
import { kvBytesMax, kvKeysMax, kvKeysPerSessionMax, kvTransactionBytesMax } from '../machine/limits.ts';
import { utf8Bytes } from '../machine/utf8-bytes.ts';
import { ChangeHistory } from './change-history.ts';
import { problemOf } from './checks.ts';
import type { KvOperation, KvTransaction } from './commands.ts';
import { holds } from './compare.ts';
import type { IsLockHeld } from './compare.ts';
import type { KvAnswer, KvChange, KvEntry } from './records.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { KeyRange } from './sorted-keys.ts';

export interface KvMoment {
  readonly slot: Slot;
  readonly at: WallTime;
}

export interface KvOutcome {
  /** Whether every comparison held. */
  readonly succeeded: boolean;
  /** One per operation of the branch taken, in its order. */
  readonly answers: readonly KvAnswer[];
  readonly changes: readonly KvChange[];
}

/** What a transaction may ask of the rest of the state. */
export interface KvSurroundings {
  readonly isSessionAlive: (session: SessionId) => boolean;
  readonly isLockHeld: IsLockHeld;
}

export interface KvSnapshot {
  /** By key. */
  readonly entries: readonly KvEntry[];
  readonly history: ReturnType<ChangeHistory['toSnapshot']>;
}

/**
 * The replicated map from keys to small values. A revision is the slot of a change; the latest changes are kept for
 * watchers. Everything it answers follows from the entries applied to it.
 */
export class KvStore {
  readonly #entries = new Map<KvKey, KvEntry>();
  #keys = new SortedKeys();
  readonly #ofSession = new Map<SessionId, Set<KvKey>>();
  #history = new ChangeHistory();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** UTF-8 bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The latest changes, to be read. */
  get history(): Pick<ChangeHistory, 'size' | 'bytes' | 'page'> {
    return this.#history;
  }

  /** Entries by their position in the order of keys, up to but without `to`. */
  page(from: number, to: number): readonly KvEntry[] {
    return this.#keys.page(from, to).flatMap((key) => this.#entries.get(key) ?? []);
  }

  /** The smallest revision from which `changesFrom` misses nothing. */
  get oldestRevision(): Slot {
    return this.#history.oldest;
  }

  get(key: KvKey): KvEntry | null {
    return this.#entries.get(key) ?? null;
  }

  /** The first `limit` entries of a range, by key. */
  list(range: KeyRange, limit: number): readonly KvEntry[] {
    return this.#keys.list(range, limit).flatMap((key) => this.#entries.get(key) ?? []);
  }

  count(range: KeyRange): number {
    return this.#keys.count(range);
  }

  /** Changes from `revision` on, about `limit` of them, no revision cut in two; null when the oldest are gone. */
  changesFrom(revision: Slot, limit: number): readonly KvChange[] | null {
    return this.#history.from(revision, limit);
  }

  /** Takes effect whole, or is refused and changes nothing. Called at most once per slot. */
  transact(transaction: KvTransaction, moment: KvMoment, around: KvSurroundings): Result<KvOutcome> {
    const problem = problemOf(transaction);
    if (problem !== null) return { ok: false, failure: problem };
    const succeeded = transaction.compares.every((compare) =>
      holds(compare, 'key' in compare ? this.get(compare.key) : null, around.isLockHeld),
    );
    const operations = succeeded ? transaction.thenOperations : transaction.elseOperations;
    const refusal = this.#refusalOf(operations, around);
    if (refusal !== null) return { ok: false, failure: refusal };
    const changes: KvChange[] = [];
    const answers = operations.map((operation) => this.#carryOut(operation, transaction.by, moment, changes));
    this.#history.add(changes);
    return ok({ succeeded, answers, changes });
  }

  /** The keys that were put with this session go with it. */
  endSession(session: SessionId, by: NodeId, moment: KvMoment): readonly KvChange[] {
    // Sorted, because the order in which keys were put does not survive a snapshot.
    const keys = [...(this.#ofSession.get(session) ?? [])].sort(compareText);
    const changes = keys.map((key) => this.#remove(key, 'session-ended', by, moment));
    this.#history.add(changes);
    return changes;
  }

  toSnapshot(): KvSnapshot {
    return { entries: this.list({ from: '', to: null }, this.size), history: this.#history.toSnapshot() };
  }

  static restore(snapshot: KvSnapshot): KvStore {
    const store = new KvStore();
    for (const entry of snapshot.entries) store.#hold(entry);
    store.#keys = new SortedKeys([...store.#entries.keys()].sort(compareText));
    store.#history = ChangeHistory.restore(snapshot.history);
    return store;
  }

  #carryOut(operation: KvOperation, by: NodeId, moment: KvMoment, changes: KvChange[]): KvAnswer {
    const { key } = operation;
    const known = this.get(key);
    const previous = known?.revision ?? 0;
    if (operation.type === 'get') return { type: 'got', key, entry: known };
    if (operation.type === 'delete') {
      if (known !== null) changes.push(this.#remove(key, 'deleted', by, moment));
      return { type: 'deleted', key, previous };
    }
    const { value, session } = operation;
    const entry: KvEntry = {
      ...{ key, value, session, by },
      created: known?.created ?? moment.slot,
      revision: moment.slot,
      version: (known?.version ?? 0) + 1,
      at: moment.at,
    };
    if (known === null) this.#keys.add(key);
    else this.#letGo(known);
    this.#hold(entry);
    changes.push({ type: 'put', entry });
    return { type: 'put', key, previous, version: entry.version };
  }

  #remove(key: KvKey, cause: 'deleted' | 'session-ended', by: NodeId, { slot, at }: KvMoment): KvChange {
    const known = this.get(key);
    if (known !== null) this.#letGo(known);
    this.#keys.remove(key);
    return { type: 'removed', key, revision: slot, cause, by, at };
  }

  #hold(entry: KvEntry): void {
    this.#entries.set(entry.key, entry);
    this.#bytes += bytesOf(entry.key, entry.value);
    if (entry.session === null) return;
    const keys = this.#ofSession.get(entry.session) ?? new Set<KvKey>();
    keys.add(entry.key);
    this.#ofSession.set(entry.session, keys);
  }

  #letGo(entry: KvEntry): void {
    this.#entries.delete(entry.key);
    this.#bytes -= bytesOf(entry.key, entry.value);
    if (entry.session === null) return;
    const keys = this.#ofSession.get(entry.session);
    keys?.delete(entry.key);
    if (keys?.size === 0) this.#ofSession.delete(entry.session);
  }

  /** Why these operations cannot all take effect now, or null. */
  #refusalOf(operations: readonly KvOperation[], { isSessionAlive }: KvSurroundings): Failure | null {
    let keys = this.size;
    let bytes = this.#bytes;
    let answerBytes = 0;
    const bySession = new Map<SessionId, number>();
    for (const operation of operations) {
      const known = this.get(operation.key);
      const knownBytes = known === null ? 0 : bytesOf(known.key, known.value);
      if (operation.type === 'get') {
        answerBytes += knownBytes;
        continue;
      }
      const session = operation.type === 'put' ? operation.session : null;
      if (session !== null && !isSessionAlive(session)) return deadSession(session);
      keys += (operation.type === 'put' ? 1 : 0) - (known === null ? 0 : 1);
      bytes += (operation.type === 'put' ? bytesOf(operation.key, operation.value) : 0) - knownBytes;
      if (session !== null && session !== known?.session) bySession.set(session, (bySession.get(session) ?? 0) + 1);
    }
    if (keys > kvKeysMax && keys > this.size) return full(`${kvKeysMax} keys are stored`);
    if (bytes > kvBytesMax && bytes > this.#bytes)
      return full(`keys and values would take ${bytes} bytes of ${kvBytesMax}`);
    if (answerBytes > kvTransactionBytesMax) return tooLong(answerBytes);
    for (const [session, added] of bySession) {
      if ((this.#ofSession.get(session)?.size ?? 0) + added > kvKeysPerSessionMax) {
        return full(`a session may have ${kvKeysPerSessionMax} keys that end with it`);
      }
    }
    return null;
  }
}

const bytesOf = (key: string, value: string): number => utf8Bytes(key) + utf8Bytes(value);

const deadSession = (session: SessionId): Failure =>
  fail(
    'not-found',
    `session ${session} is not alive: a key cannot end with it`,
    'Ask again once this machine has a session.',
  ).failure;

const full = (what: string): Failure => fail('limit-reached', what, 'Delete keys that nobody needs.').failure;

const tooLong = (bytes: number): Failure =>
  fail(
    'limit-reached',
    `the transaction would answer ${bytes} bytes; ${kvTransactionBytesMax} is the most`,
    'Read some of the keys by themselves.',
  ).failure;
