import type { FencingToken, LockName, SessionId, Slot } from '../../../shared/domain/ids.ts';

/**
 * Who asked within a session: `attempt:81.3#1` for a task, `client:<unique>` for a person or a script.
 * A session may hold different locks for different owners; one owner asks for one lock once.
 */
export type LockOwner = string;

/**
 * How a lock is held. `exclusive` by one alone, `shared` with other readers, `permit` as one of `permits` at a time.
 * Whoever uses a lock while it is in use must agree on what it is: a semaphore of three is not one of five.
 */
export type LockMode =
  { readonly type: 'exclusive' } | { readonly type: 'shared' } | { readonly type: 'permit'; readonly permits: number };

export interface LockWish {
  readonly name: LockName;
  readonly mode: LockMode;
}

export type LockCommand =
  /** One exclusive lock with the usual delay. Free: granted at this slot. Held: queued when `wait`, refused otherwise. Asked again: the same answer. */
  | {
      readonly type: 'lock-requested';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      /** For people: what the holder is doing. */
      readonly label: string;
      readonly wait: boolean;
    }
  /** All of the wishes or none, in one entry. Whoever waits for several holds none of them meanwhile. */
  | {
      readonly type: 'locks-requested';
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly label: string;
      readonly wait: boolean;
      readonly wishes: readonly LockWish[];
      /** How long nobody takes its place after it lost the lock. Not after a release. */
      readonly delayMs: number;
      /** Outlives its session: only a release by its machine or by force frees it. */
      readonly keeps: boolean;
    }
  /** Gives up waiting, or gives back a grant that arrived after the requester had gone. */
  | { readonly type: 'lock-abandoned'; readonly name: LockName; readonly session: SessionId; readonly owner: LockOwner }
  | {
      readonly type: 'lock-released';
      readonly name: LockName;
      readonly session: SessionId;
      readonly token: FencingToken;
    }
  /** All of them or none. A lock that outlives its session may be released by a later session of its machine. */
  | {
      readonly type: 'locks-released';
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly names: readonly LockName[];
      readonly token: FencingToken;
    }
  /** A writer becomes a reader with the same token; readers in line behind it come in at this slot. */
  | {
      readonly type: 'lock-downgraded';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      readonly token: FencingToken;
    }
  /** A person takes the lock from its holder. Refused unless the holder still has the token that person saw. */
  | {
      readonly type: 'lock-force-released';
      readonly name: LockName;
      readonly expectedToken: FencingToken;
      readonly by: string;
      readonly reason: string;
    }
  /** The coordinator's clock says that the delay which began at slot `since` is over. */
  | { readonly type: 'lock-delay-ended'; readonly name: LockName; readonly since: Slot };
