import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Failure, Result } from '../../../shared/domain/failure.ts';
import { compareText, fencingToken } from '../../../shared/domain/ids.ts';
import type { FencingToken, LockName, NodeId, SessionId, Slot } from '../../../shared/domain/ids.ts';
import { locksMax, waitersPerLockMax } from '../machine/limits.ts';
import type { LockMode, LockOwner, LockWish } from './commands.ts';
import { hasRoom, kindProblem } from './lock-rules.ts';
import { isSameClaim, lockHistoryMax } from './records.ts';
import type {
  Lock,
  LockAnswer,
  LockChange,
  LockClaim,
  LockDelay,
  LockEndCause,
  LockHolder,
  LockMoment,
  LockTenure,
  LockTerms,
  LockWaiter,
} from './records.ts';
import { Stakes } from './stakes.ts';
import type { Stake } from './stakes.ts';

interface MutableLock {
  readonly name: LockName;
  holders: LockHolder[];
  delays: LockDelay[];
  waiters: LockWaiter[];
  history: LockTenure[];
}

/** What a claim asks for: everything or nothing. */
export interface LockRequest {
  readonly claim: LockClaim;
  readonly wishes: readonly LockWish[];
  readonly wait: boolean;
  readonly delayMs: number;
  readonly keeps: boolean;
}

/** How holders end: `invalidated` means without their doing, so that they may still be at work. */
interface Ending {
  readonly cause: LockEndCause;
  readonly invalidated: boolean;
  readonly remark: string;
}

const released: Ending = { cause: 'released', invalidated: false, remark: '' };

/**
 * Locks with first-come-first-served waiters: exclusive, shared by readers, or with a number of permits. A token is the
 * slot of its grant, so tokens of a lock only grow: every method that may grant is called at most once per slot.
 *
 * Whoever waits for several locks stands in the line of each and holds none. Lines are in the order of the log, so the
 * first of all who wait is the first in all its lines: it cannot wait in a circle.
 *
 * A lock that nobody holds is kept for its history until `locksMax` names need the room.
 */
export class LockTable {
  readonly #locks = new Map<LockName, MutableLock>();
  /** Names of locks without holder, delay and waiter, the one free for longest first: the order in which they are forgotten. */
  readonly #free = new Set<LockName>();
  /** Names with a delay, for the coordinator, which looks often. */
  readonly #delayed = new Set<LockName>();
  readonly #stakes = new Stakes();

  get(name: LockName): Lock | null {
    return this.#locks.get(name) ?? null;
  }

  isFree(name: LockName): boolean {
    const lock = this.#locks.get(name);
    return lock === undefined || isUnused(lock);
  }

  isHeldWith(name: LockName, token: FencingToken): boolean {
    return this.#locks.get(name)?.holders.some((holder) => holder.token === token) === true;
  }

  /** The grant of this claim, if it has one. */
  holderOf(name: LockName, claim: { readonly session: SessionId; readonly owner: LockOwner }): LockHolder | null {
    return this.#locks.get(name)?.holders.find((holder) => isSameClaim(holder, claim)) ?? null;
  }

  /** Every remembered lock, sorted by name. */
  list(): readonly Lock[] {
    return [...this.#locks.values()].sort((left, right) => compareText(left.name, right.name));
  }

  /** Every delay that is not over, by lock and slot. */
  delays(): readonly { readonly name: LockName; readonly delay: LockDelay }[] {
    return [...this.#delayed]
      .sort(compareText)
      .flatMap((name) => (this.#locks.get(name)?.delays ?? []).map((delay) => ({ name, delay })));
  }

  /** Grants one exclusive lock, or queues: see `requestAll`. */
  request(name: LockName, claim: LockClaim, wait: boolean, delayMs: number, moment: LockMoment): Result<LockAnswer> {
    return this.requestAll(
      { claim, wishes: [{ name, mode: { type: 'exclusive' } }], wait, delayMs, keeps: false },
      moment,
    );
  }

  /**
   * Grants all wishes or none, or queues for all. Asked again by the same owner, it answers the same.
   * Fails as `precondition-failed` when one is not to be had and the claim does not wait, or is in use in another way,
   * and as `limit-reached`.
   */
  requestAll(request: LockRequest, moment: LockMoment): Result<LockAnswer> {
    const wishes = [...request.wishes].sort((left, right) => compareText(left.name, right.name));
    const known = this.#answerKnown(request.claim, wishes);
    if (known !== null) return known;
    const problem = this.#problemOf(request, wishes);
    if (problem !== null) return { ok: false, failure: problem };
    const { claim, delayMs, keeps } = request;
    // None of them may be forgotten to make room for another.
    for (const { name } of wishes) this.#free.delete(name);
    const locks = wishes.map(({ name, mode }) => ({ lock: this.#locks.get(name) ?? this.#create(name), mode }));
    for (const { lock } of locks) this.#stakes.add(claim.session, claim.owner, lock.name);
    if (locks.every(({ lock, mode }) => lock.waiters.length === 0 && hasRoom(lock, mode))) {
      const changes = locks.map(({ lock, mode }) => this.#grant(lock, claim, { mode, delayMs, keeps }, moment));
      return ok({ type: 'granted', token: fencingToken(moment.slot), changes });
    }
    const names = wishes.map(({ name }) => name);
    for (const { lock, mode } of locks) {
      lock.waiters.push({ ...bare(claim), mode, delayMs, keeps, since: moment.at, names });
      this.#free.delete(lock.name);
    }
    return ok({ type: 'waiting', position: Math.max(...locks.map(({ lock }) => lock.waiters.length)) });
  }

  /** Gives up a wait, with all it waited for, or a grant; having neither is fine. */
  abandon(name: LockName, session: SessionId, owner: LockOwner, moment: LockMoment): readonly LockChange[] {
    return this.#endAll([{ session, owner, name }], released, moment);
  }

  /** Releases what `session` holds of `name` with `token`, whoever its owner is. */
  release(name: LockName, session: SessionId, token: FencingToken, moment: LockMoment): Result<readonly LockChange[]> {
    const lock = this.#locks.get(name);
    const holder = lock?.holders.find((each) => each.session === session && each.token === token);
    if (holder === undefined) return notHeldWith(name, token, lock);
    return ok(this.#endAll([{ session, owner: holder.owner, name }], released, moment));
  }

  /** Releases all of `names` or none. A lock that outlives its session belongs to its machine, whatever session that has now. */
  releaseAll(
    names: readonly LockName[],
    by: { readonly session: SessionId; readonly node: NodeId; readonly owner: LockOwner },
    token: FencingToken,
    moment: LockMoment,
  ): Result<readonly LockChange[]> {
    const ended: Stake[] = [];
    for (const name of names) {
      const lock = this.#locks.get(name);
      const holder = lock?.holders.find(
        (each) => each.token === token && (isSameClaim(each, by) || (each.keeps && each.node === by.node)),
      );
      if (holder === undefined) return notHeldWith(name, token, lock);
      ended.push({ name, session: holder.session, owner: holder.owner });
    }
    return ok(this.#endAll(ended, released, moment));
  }

  /** A writer goes on as a reader. Fails as `precondition-failed` unless it holds the lock alone, with that token. */
  downgrade(
    name: LockName,
    claim: { readonly session: SessionId; readonly owner: LockOwner },
    token: FencingToken,
    moment: LockMoment,
  ): Result<readonly LockChange[]> {
    const lock = this.#locks.get(name);
    const holder = lock?.holders.find((each) => each.token === token && isSameClaim(each, claim));
    if (lock === undefined || holder === undefined) return notHeldWith(name, token, lock);
    if (holder.mode.type === 'shared') return ok([]);
    if (holder.mode.type === 'permit') {
      return fail('precondition-failed', `lock ${name} is a semaphore: it has no readers and writers`);
    }
    const reader: LockHolder = { ...holder, mode: { type: 'shared' } };
    lock.holders = lock.holders.map((each) => (each === holder ? reader : each));
    return ok([{ type: 'downgraded', name, holder: reader }, ...this.#grantWaiting([lock], moment)]);
  }

  /** Takes the lock from everyone who holds it with `expected`. */
  forceRelease(
    name: LockName,
    expected: FencingToken,
    remark: string,
    moment: LockMoment,
  ): Result<readonly LockChange[]> {
    const lock = this.#locks.get(name);
    const holders = lock?.holders.filter(({ token }) => token === expected) ?? [];
    if (holders.length === 0) return notHeldWith(name, expected, lock);
    const stakes = holders.map(({ session, owner }) => ({ session, owner, name }));
    return ok(this.#endAll(stakes, { cause: 'forced', invalidated: true, remark }, moment));
  }

  /** A session is over: its waits vanish, its locks go to the next in line, after a delay when it was lost. */
  endSession(session: SessionId, invalidated: boolean, moment: LockMoment): readonly LockChange[] {
    const stakes = this.#stakes.ofSession(session).filter((stake) => this.holderOf(stake.name, stake)?.keeps !== true);
    return this.#endAll(stakes, { cause: 'session-ended', invalidated, remark: '' }, moment);
  }

  /**
   * Attempts are over, all in one log entry: whatever they held or waited for as owners ends with them, with a delay
   * when their processes may still run.
   */
  endOwners(
    owners: readonly { readonly session: SessionId; readonly owner: LockOwner }[],
    invalidated: boolean,
    moment: LockMoment,
  ): readonly LockChange[] {
    const stakes = owners.flatMap(({ session, owner }) => this.#stakes.ofOwner(session, owner));
    return stakes.length === 0 ? [] : this.#endAll(stakes, { cause: 'attempt-ended', invalidated, remark: '' }, moment);
  }

  /** Fails as `precondition-failed` when no such delay is on: it was ended before. */
  endDelay(name: LockName, since: Slot, moment: LockMoment): Result<readonly LockChange[]> {
    const lock = this.#locks.get(name);
    if (lock === undefined || !lock.delays.some((delay) => delay.since === since)) {
      return fail('precondition-failed', `lock ${name} has no delay since slot ${since}`, 'It is over already.');
    }
    lock.delays = lock.delays.filter((delay) => delay.since !== since);
    const changes = this.#grantWaiting([lock], moment);
    this.#note(lock);
    return ok(changes);
  }

  /** Locks in the order that restores this table: used ones by name, then free ones, longest free first. */
  toSnapshot(): readonly Lock[] {
    const used = this.list().filter((lock) => !isUnused(lock));
    const free = [...this.#free].flatMap((name) => this.#locks.get(name) ?? []);
    return [...used, ...free].map(({ name, holders, delays, waiters, history }) => ({
      ...{ name, holders, delays, waiters, history },
    }));
  }

  static restore(locks: readonly Lock[]): LockTable {
    const table = new LockTable();
    for (const { name, holders, delays, waiters, history } of locks) {
      const lock: MutableLock = {
        name,
        holders: [...holders],
        delays: [...delays],
        waiters: [...waiters],
        history: [...history],
      };
      table.#locks.set(name, lock);
      table.#note(lock);
      for (const { session, owner } of [...holders, ...waiters]) table.#stakes.add(session, owner, name);
    }
    return table;
  }

  /** The answer to a claim that asks again, or null for one that is new. */
  #answerKnown(claim: LockClaim, wishes: readonly LockWish[]): Result<LockAnswer> | null {
    const found = wishes.map(({ name, mode }) => {
      const lock = this.#locks.get(name);
      const holder = lock?.holders.find((each) => isSameClaim(each, claim));
      const position = 1 + (lock?.waiters.findIndex((each) => isSameClaim(each, claim)) ?? -1);
      return { token: holder !== undefined && isSameMode(holder.mode, mode) ? holder.token : null, position, holder };
    });
    const tokens = found.flatMap(({ token }) => token ?? []);
    if (tokens.length === wishes.length) {
      return ok({ type: 'granted', token: fencingToken(Math.max(...tokens)), changes: [] });
    }
    if (found.every(({ position }) => position > 0)) {
      return ok({ type: 'waiting', position: Math.max(...found.map(({ position }) => position)) });
    }
    if (found.every(({ position, holder }) => position === 0 && holder === undefined)) return null;
    return fail(
      'precondition-failed',
      `${claim.owner} has asked for ${wishes.map(({ name }) => name).join(', ')} before, in another way`,
      'Release what it holds first. A reader never becomes a writer in place: two of them would wait for each other.',
    );
  }

  #problemOf({ claim, wait }: LockRequest, wishes: readonly LockWish[]): Failure | null {
    const created = wishes.filter(({ name }) => !this.#locks.has(name)).length;
    const named = wishes.filter(({ name }) => this.#free.has(name)).length;
    if (this.#locks.size + created > locksMax && this.#free.size - named < this.#locks.size + created - locksMax) {
      return fail('limit-reached', `${locksMax} locks are held`, 'Release some, or use fewer different names.').failure;
    }
    for (const { name, mode } of wishes) {
      const lock = this.#locks.get(name);
      if (lock === undefined) continue;
      const problem = kindProblem(lock, mode);
      if (problem !== null) return problem;
      if (!wait && (lock.waiters.length > 0 || !hasRoom(lock, mode))) return heldBy(lock, claim);
      if (lock.waiters.length >= waitersPerLockMax) {
        return fail('limit-reached', `${waitersPerLockMax} wait for lock ${name}`, 'Try again later.').failure;
      }
    }
    return null;
  }

  /**
   * Ends claims first, all of them, and grants only then: a waiter that ends in this very entry must not be granted in
   * between, or one slot would be the token of two holders in turn.
   */
  #endAll(ended: readonly Stake[], ending: Ending, moment: LockMoment): readonly LockChange[] {
    const touched = new Map<LockName, MutableLock>();
    const changes: LockChange[] = [];
    for (const claim of [...ended].sort((left, right) => compareText(left.name, right.name))) {
      const lock = this.#locks.get(claim.name);
      if (lock === undefined) continue;
      touched.set(lock.name, lock);
      const holder = lock.holders.find((each) => isSameClaim(each, claim));
      if (holder === undefined) {
        for (const other of this.#leaveLines(lock, claim)) touched.set(other.name, other);
        continue;
      }
      this.#stakes.remove(claim.session, claim.owner, claim.name);
      changes.push(this.#vacate(lock, holder, ending, moment));
    }
    changes.push(...this.#grantWaiting([...touched.values()], moment));
    for (const lock of touched.values()) this.#note(lock);
    return changes;
  }

  /** Whoever gives up one of several locks gives up all of them. Answers the locks whose lines it left. */
  #leaveLines(lock: MutableLock, claim: Stake): readonly MutableLock[] {
    const waiter = lock.waiters.find((each) => isSameClaim(each, claim));
    const left = (waiter?.names ?? []).flatMap((name) => this.#locks.get(name) ?? []);
    for (const each of left) {
      each.waiters = each.waiters.filter((other) => !isSameClaim(other, claim));
      this.#stakes.remove(claim.session, claim.owner, each.name);
    }
    return left;
  }

  #vacate(lock: MutableLock, holder: LockHolder, ending: Ending, { slot, at }: LockMoment): LockChange {
    const { cause, remark } = ending;
    const delayMs = ending.invalidated ? holder.delayMs : 0;
    lock.holders = lock.holders.filter((each) => each !== holder);
    lock.history = lock.history.map((tenure) =>
      tenure.endedAt === null && tenure.token === holder.token && isSameClaim(tenure, holder)
        ? { ...tenure, endedAt: at, cause, remark }
        : tenure,
    );
    if (delayMs > 0) lock.delays.push({ holder, since: slot, at, delayMs });
    return { type: 'ended', name: lock.name, holder, cause, delayMs };
  }

  /** Grants from the front of each line for as long as there is room; a grant of several locks may free a line elsewhere. */
  #grantWaiting(locks: readonly MutableLock[], moment: LockMoment): readonly LockChange[] {
    const changes: LockChange[] = [];
    const open = new Map(locks.map((lock) => [lock.name, lock]));
    while (open.size > 0) {
      const [name] = [...open.keys()].sort(compareText);
      const lock = name === undefined ? undefined : open.get(name);
      if (name === undefined || lock === undefined) break;
      open.delete(name);
      const granted = this.#grantFirst(lock, moment);
      changes.push(...granted);
      for (const change of granted) {
        const next = this.#locks.get(change.name);
        if (next !== undefined) open.set(change.name, next);
      }
    }
    return changes;
  }

  #grantFirst(lock: MutableLock, moment: LockMoment): readonly LockChange[] {
    const [first] = lock.waiters;
    if (first === undefined) return [];
    const wanted = first.names.flatMap((name) => this.#locks.get(name) ?? []);
    const places = wanted.map((each) => ({ lock: each, waiter: each.waiters[0] }));
    const isNext = places.every(
      ({ lock: each, waiter }) => waiter !== undefined && isSameClaim(waiter, first) && hasRoom(each, waiter.mode),
    );
    if (!isNext) return [];
    return places.flatMap(({ lock: each, waiter }) => {
      each.waiters = each.waiters.slice(1);
      return waiter === undefined ? [] : this.#grant(each, waiter, waiter, moment);
    });
  }

  #grant(lock: MutableLock, claim: LockClaim, terms: LockTerms, { slot, at }: LockMoment): LockChange {
    const { mode, delayMs, keeps } = terms;
    const token = fencingToken(slot);
    const holder: LockHolder = { ...bare(claim), mode, delayMs, keeps, token, since: at };
    lock.holders.push(holder);
    lock.history.unshift({ ...bare(claim), mode, token, grantedAt: at, endedAt: null, cause: null, remark: '' });
    if (lock.history.length > lockHistoryMax) lock.history.pop();
    this.#free.delete(lock.name);
    return { type: 'granted', name: lock.name, holder };
  }

  /** Keeps the sets of free and delayed names true. */
  #note(lock: MutableLock): void {
    if (lock.delays.length > 0) this.#delayed.add(lock.name);
    else this.#delayed.delete(lock.name);
    if (!isUnused(lock)) this.#free.delete(lock.name);
    else if (!this.#free.has(lock.name)) this.#free.add(lock.name);
  }

  #create(name: LockName): MutableLock {
    if (this.#locks.size >= locksMax) {
      const [oldest] = this.#free;
      if (oldest !== undefined) {
        this.#free.delete(oldest);
        this.#locks.delete(oldest);
      }
    }
    const lock: MutableLock = { name, holders: [], delays: [], waiters: [], history: [] };
    this.#locks.set(name, lock);
    return lock;
  }
}

const isUnused = (lock: Lock): boolean =>
  lock.holders.length === 0 && lock.delays.length === 0 && lock.waiters.length === 0;

const isSameMode = (left: LockMode, right: LockMode): boolean =>
  left.type === right.type && (left.type !== 'permit' || right.type !== 'permit' || left.permits === right.permits);

const bare = ({ session, node, owner, label }: LockClaim): LockClaim => ({ session, node, owner, label });

function heldBy(lock: Lock, claim: LockClaim): Failure {
  const [holder] = lock.holders;
  const [delay] = lock.delays;
  const by =
    holder !== undefined
      ? `is held by ${holder.owner} with token ${holder.token}`
      : delay !== undefined
        ? `was lost by ${delay.holder.owner} and is not given to anyone for ${delay.delayMs / 1_000} s`
        : 'has others in line';
  const message = `lock ${lock.name} ${by}`;
  return fail('precondition-failed', message, `Wait for it, or try again later. Asked by ${claim.owner}.`).failure;
}

function notHeldWith(name: LockName, token: FencingToken, lock: Lock | undefined): ReturnType<typeof fail> {
  const [holder, ...more] = lock?.holders ?? [];
  const now =
    holder === undefined
      ? 'nobody holds it'
      : `${holder.owner} holds it with token ${holder.token}${more.length > 0 ? `, and ${more.length} more` : ''}`;
  return fail(
    'precondition-failed',
    `lock ${name} is not held with token ${token}: ${now}`,
    'Look at the lock again; whoever worked under the old token must stop.',
  );
}
