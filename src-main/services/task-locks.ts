import { FailureError, fail } from '../../shared/domain/failure.ts';
import { fencingToken, type FencingToken, type LockName, type SessionId } from '../../shared/domain/ids.ts';
import type { LockCommand, LockMode, LockOwner } from '../core/locks/commands.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import { untilAnsweredMs, type Replica } from './replica.ts';

export interface HeldLock {
  readonly token: FencingToken;
  /** Aborts once the log gives the lock to someone else. */
  readonly lost: AbortSignal;
  /** Stops watching; the lock itself is given back by the caller or with its attempt. */
  forget(): void;
}

export interface LockWish {
  readonly name: LockName;
  readonly session: SessionId;
  readonly owner: LockOwner;
  readonly label: string;
  readonly wait: boolean;
  /** Anything but one exclusive lock with the usual delay. `also`: further locks of the same mode, all or none. */
  readonly terms?: {
    readonly also: readonly LockName[];
    readonly mode: LockMode;
    readonly delayMs: number;
    readonly keeps: boolean;
  };
}

export const namesOf = (wish: LockWish): readonly LockName[] => [wish.name, ...(wish.terms?.also ?? [])];

function commandOf(wish: LockWish): LockCommand {
  const { name, session, owner, label, wait, terms } = wish;
  if (terms === undefined) return { type: 'lock-requested', name, session, owner, label, wait };
  const { mode, delayMs, keeps } = terms;
  const wishes = namesOf(wish).map((each) => ({ name: each, mode }));
  return { type: 'locks-requested', session, owner, label, wait, wishes, delayMs, keeps };
}

/**
 * Asks for a lock and waits for its grant. Throws a FailureError when it is refused, `cancelled` when `signal` aborts.
 * `waiting` hears the place in the queue.
 */
export async function acquireLock(
  replica: Replica,
  wish: LockWish,
  signal: AbortSignal,
  waiting: (position: number) => void,
): Promise<HeldLock> {
  const watch = new GrantWatch(replica, wish);
  try {
    const answer = await replica.propose(commandOf(wish), { signal, timeoutMs: untilAnsweredMs });
    if (!answer.ok) throw new FailureError(answer.failure);
    if (answer.value.type === 'lock-granted') watch.granted(answer.value.token);
    else if (answer.value.type === 'lock-waiting') waiting(answer.value.position);
    const token = await watch.grant(signal);
    return { token, lost: watch.lost, forget: () => watch.stop() };
  } catch (error) {
    watch.stop();
    throw error;
  }
}

/** Listens from before the request is sent, because a grant may follow its answer before anyone has read that. */
class GrantWatch {
  readonly #replica: Replica;
  readonly #wish: LockWish;
  readonly #names: readonly LockName[];
  readonly #lost = new AbortController();
  readonly #unsubscribe: () => void;
  #token: FencingToken | null = null;
  #resolve: ((token: FencingToken) => void) | null = null;

  constructor(replica: Replica, wish: LockWish) {
    this.#replica = replica;
    this.#wish = wish;
    this.#names = namesOf(wish);
    this.#unsubscribe = replica.onEvent((event) => this.#heard(event));
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  granted(token: FencingToken): void {
    if (this.#token !== null) return;
    this.#token = token;
    this.#resolve?.(token);
  }

  grant(signal: AbortSignal): Promise<FencingToken> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void =>
        reject(new FailureError(fail('cancelled', `Waiting for the lock ${this.#wish.name} was given up.`).failure));
      if (this.#token !== null) resolve(this.#token);
      else if (signal.aborted) giveUp();
      else {
        signal.addEventListener('abort', giveUp, { once: true });
        this.#resolve = (token) => {
          signal.removeEventListener('abort', giveUp);
          resolve(token);
        };
      }
    });
  }

  stop(): void {
    this.#unsubscribe();
  }

  #heard(event: NodeEvent): void {
    if (event.type === 'state-replaced') this.#readState();
    if (event.type !== 'applied') return;
    for (const change of event.events) {
      if (change.type === 'lock-granted' && this.#isMine(change)) this.granted(change.token);
      if (change.type === 'lock-ended' && this.#isMine(change)) this.#lost.abort(`the lock was ended: ${change.cause}`);
    }
  }

  /** A snapshot tells where things stand, not what happened. Several locks are granted, and may be lost, one by one. */
  #readState(): void {
    const { locks } = this.#replica.state();
    const tokens = this.#names.map((name) => locks.holderOf(name, this.#wish)?.token ?? null);
    const held = tokens.flatMap((token) => token ?? []);
    if (this.#token === null && held.length === tokens.length) this.granted(fencingToken(Math.max(...held)));
    else if (this.#token !== null && held.length < tokens.length)
      this.#lost.abort('the lock was ended while this machine was out of touch');
  }

  #isMine(change: { readonly name: LockName; readonly session: SessionId; readonly owner: LockOwner }): boolean {
    return (
      this.#names.includes(change.name) && change.session === this.#wish.session && change.owner === this.#wish.owner
    );
  }
}
