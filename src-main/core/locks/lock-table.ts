import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import { compareText, fencingToken } from '../../../shared/domain/ids.ts';
import type { FencingToken, LockName, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';
import { locksMax, waitersPerLockMax } from '../machine/limits.ts';
import type { LockOwner } from './commands.ts';
import { Stakes } from './stakes.ts';

export const lockHistoryMax = 20;

export type LockEndCause = 'released' | 'forced' | 'session-ended' | 'attempt-ended';

/** Who asked: a session on a machine, and the owner within it. `label` says what for. */
export interface LockClaim {
  readonly session: SessionId;
  readonly node: NodeId;
  readonly owner: LockOwner;
  readonly label: string;
}

export interface LockHolder extends LockClaim {
  /** The slot of the grant. */
  readonly token: FencingToken;
  readonly since: WallTime;
}

export interface LockWaiter extends LockClaim {
  readonly since: WallTime;
}

/** One holder from grant to end; `endedAt` and `cause` are null while it holds. */
export interface LockTenure extends LockClaim {
  readonly token: FencingToken;
  readonly grantedAt: WallTime;
  readonly endedAt: WallTime | null;
  readonly cause: LockEndCause | null;
}

export interface Lock {
  readonly name: LockName;
  readonly holder: LockHolder | null;
  /** First come, first served. */
  readonly waiters: readonly LockWaiter[];
  /** Newest first, at most `lockHistoryMax`; the present holder is its first element. */
  readonly history: readonly LockTenure[];
}

/** What a change did, in order: an end comes before the grant that follows from it. */
export type LockChange =
  | { readonly type: 'granted'; readonly name: LockName; readonly holder: LockHolder }
  | { readonly type: 'ended'; readonly name: LockName; readonly holder: LockHolder; readonly cause: LockEndCause };

export type LockAnswer =
  | { readonly type: 'granted'; readonly token: FencingToken; readonly changes: readonly LockChange[] }
  | { readonly type: 'waiting'; readonly position: number };

/** When something happens: the slot orders, the wall time is for people. */
export interface LockMoment {
  readonly slot: Slot;
  readonly at: WallTime;
}

interface MutableLock {
  readonly name: LockName;
  holder: LockHolder | null;
  waiters: LockWaiter[];
  history: LockTenure[];
}

/**
 * Exclusive locks with first-come-first-served waiters. A token is the slot of its grant, so tokens of a lock
 * only grow: every method that may grant is called at most once per slot.
 * A lock that nobody holds is kept for its history until `locksMax` names need the room.
 */
export class LockTable {
  readonly #locks = new Map<LockName, MutableLock>();
  /** Names nobody holds, the one free for longest first: the order in which they are forgotten. */
  readonly #free = new Set<LockName>();
  readonly #stakes = new Stakes();

  get(name: LockName): Lock | null {
    return this.#locks.get(name) ?? null;
  }

  isFree(name: LockName): boolean {
    return (this.#locks.get(name)?.holder ?? null) === null;
  }

  /** Every remembered lock, sorted by name. */
  list(): readonly Lock[] {
    return [...this.#locks.values()].sort((left, right) => compareText(left.name, right.name));
  }

  /**
   * Grants a free lock, or queues. Asked again by the same owner, it answers the same.
   * Fails as `precondition-failed` when the lock is held and the claim does not wait, and as `limit-reached`.
   */
  request(name: LockName, claim: LockClaim, wait: boolean, moment: LockMoment): Result<LockAnswer> {
    const known = this.#locks.get(name);
    if (known !== undefined && known.holder !== null)
      return this.#requestHeld(known, known.holder, claim, wait, moment.at);
    const lock = known ?? this.#create(name);
    if (lock === null) {
      return fail('limit-reached', `${locksMax} locks are held`, 'Release some, or use fewer different names.');
    }
    this.#stakes.add(claim.session, claim.owner, name);
    const holder = this.#grant(lock, claim, moment);
    return ok({ type: 'granted', token: holder.token, changes: [{ type: 'granted', name, holder }] });
  }

  /** Gives up a wait or a grant; having neither is fine. */
  abandon(name: LockName, session: SessionId, owner: LockOwner, moment: LockMoment): readonly LockChange[] {
    return this.#endAll([{ session, owner, name }], 'released', moment);
  }

  release(name: LockName, session: SessionId, token: FencingToken, moment: LockMoment): Result<readonly LockChange[]> {
    const holder = this.#locks.get(name)?.holder ?? null;
    if (holder === null || holder.session !== session || holder.token !== token) {
      return notHeldWith(name, token, holder);
    }
    return ok(this.#endAll([{ session, owner: holder.owner, name }], 'released', moment));
  }

  forceRelease(name: LockName, expected: FencingToken, moment: LockMoment): Result<readonly LockChange[]> {
    const holder = this.#locks.get(name)?.holder ?? null;
    if (holder === null || holder.token !== expected) return notHeldWith(name, expected, holder);
    return ok(this.#endAll([{ session: holder.session, owner: holder.owner, name }], 'forced', moment));
  }

  /** A session is over: its waits vanish, its locks go to the next in line. */
  endSession(session: SessionId, moment: LockMoment): readonly LockChange[] {
    return this.#endAll(this.#stakes.ofSession(session), 'session-ended', moment);
  }

  /** Attempts are over, all in one log entry: whatever they held or waited for as owners ends with them. */
  endOwners(
    owners: readonly { readonly session: SessionId; readonly owner: LockOwner }[],
    moment: LockMoment,
  ): readonly LockChange[] {
    const stakes = owners.flatMap(({ session, owner }) => this.#stakes.ofOwner(session, owner));
    return stakes.length === 0 ? [] : this.#endAll(stakes, 'attempt-ended', moment);
  }

  /** Locks in the order that restores this table: held ones by name, then free ones, longest free first. */
  toSnapshot(): readonly Lock[] {
    const held = this.list().filter((lock) => lock.holder !== null);
    const free = [...this.#free].flatMap((name) => this.#locks.get(name) ?? []);
    return [...held, ...free].map(({ name, holder, waiters, history }) => ({ name, holder, waiters, history }));
  }

  static restore(locks: readonly Lock[]): LockTable {
    const table = new LockTable();
    for (const { name, holder, waiters, history } of locks) {
      table.#locks.set(name, { name, holder, waiters: [...waiters], history: [...history] });
      if (holder === null) table.#free.add(name);
      else table.#stakes.add(holder.session, holder.owner, name);
      for (const waiter of waiters) table.#stakes.add(waiter.session, waiter.owner, name);
    }
    return table;
  }

  #requestHeld(
    lock: MutableLock,
    holder: LockHolder,
    claim: LockClaim,
    wait: boolean,
    at: WallTime,
  ): Result<LockAnswer> {
    if (isSameClaim(holder, claim)) return ok({ type: 'granted', token: holder.token, changes: [] });
    const known = lock.waiters.findIndex((waiter) => isSameClaim(waiter, claim));
    if (known >= 0) return ok({ type: 'waiting', position: known + 1 });
    if (!wait) {
      return fail(
        'precondition-failed',
        `lock ${lock.name} is held by ${holder.owner} with token ${holder.token}`,
        'Wait for it, or try again later.',
      );
    }
    if (lock.waiters.length >= waitersPerLockMax) {
      return fail('limit-reached', `${waitersPerLockMax} wait for lock ${lock.name}`, 'Try again later.');
    }
    lock.waiters.push({ ...claim, since: at });
    this.#stakes.add(claim.session, claim.owner, lock.name);
    return ok({ type: 'waiting', position: lock.waiters.length });
  }

  /**
   * Ends claims in two passes, waits before grants: a waiter that ends in this very entry must not be granted in
   * between, or one slot would be the token of two holders.
   */
  #endAll(
    ended: readonly { readonly session: SessionId; readonly owner: LockOwner; readonly name: LockName }[],
    cause: LockEndCause,
    moment: LockMoment,
  ): readonly LockChange[] {
    const vacated: MutableLock[] = [];
    for (const claim of ended) {
      const lock = this.#locks.get(claim.name);
      if (lock === undefined) continue;
      this.#stakes.remove(claim.session, claim.owner, claim.name);
      if (lock.holder !== null && isSameClaim(lock.holder, claim)) vacated.push(lock);
      else lock.waiters = lock.waiters.filter((waiter) => !isSameClaim(waiter, claim));
    }
    vacated.sort((left, right) => compareText(left.name, right.name));
    return vacated.flatMap((lock) => this.#vacate(lock, cause, moment));
  }

  /** The one place where a holder ends and the next is granted; a delay after an invalidation belongs here. */
  #vacate(lock: MutableLock, cause: LockEndCause, moment: LockMoment): readonly LockChange[] {
    const { holder } = lock;
    if (holder === null) return [];
    lock.holder = null;
    const [tenure, ...older] = lock.history;
    if (tenure !== undefined) lock.history = [{ ...tenure, endedAt: moment.at, cause }, ...older];
    const changes: LockChange[] = [{ type: 'ended', name: lock.name, holder, cause }];
    const next = lock.waiters.shift();
    if (next === undefined) this.#free.add(lock.name);
    else changes.push({ type: 'granted', name: lock.name, holder: this.#grant(lock, next, moment) });
    return changes;
  }

  #grant(lock: MutableLock, claim: LockClaim, { slot, at }: LockMoment): LockHolder {
    const { session, node, owner, label } = claim;
    const token = fencingToken(slot);
    const holder: LockHolder = { session, node, owner, label, token, since: at };
    lock.holder = holder;
    lock.history.unshift({ session, node, owner, label, token, grantedAt: at, endedAt: null, cause: null });
    if (lock.history.length > lockHistoryMax) lock.history.pop();
    this.#free.delete(lock.name);
    return holder;
  }

  #create(name: LockName): MutableLock | null {
    if (this.#locks.size >= locksMax) {
      const [oldest] = this.#free;
      if (oldest === undefined) return null;
      this.#free.delete(oldest);
      this.#locks.delete(oldest);
    }
    const lock: MutableLock = { name, holder: null, waiters: [], history: [] };
    this.#locks.set(name, lock);
    return lock;
  }
}

interface Claimant {
  readonly session: SessionId;
  readonly owner: LockOwner;
}

const isSameClaim = (left: Claimant, right: Claimant): boolean =>
  left.owner === right.owner && left.session === right.session;

function notHeldWith(name: LockName, token: FencingToken, holder: LockHolder | null): ReturnType<typeof fail> {
  const now = holder === null ? 'nobody holds it' : `${holder.owner} holds it with token ${holder.token}`;
  return fail(
    'precondition-failed',
    `lock ${name} is not held with token ${token}: ${now}`,
    'Look at the lock again; whoever worked under the old token must stop.',
  );
}
