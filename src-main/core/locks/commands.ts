import type { FencingToken, LockName, SessionId } from '../../../shared/domain/ids.ts';

/**
 * Who asked within a session: `attempt:81.3#1` for a task, `client:<unique>` for a person or a script.
 * A session may hold different locks for different owners; one owner asks for one lock once.
 */
export type LockOwner = string;

export type LockCommand =
  /** Free: granted at this slot. Held: queued when `wait`, refused otherwise. Asked again: the same answer. */
  | {
      readonly type: 'lock-requested';
      readonly name: LockName;
      readonly session: SessionId;
      readonly owner: LockOwner;
      /** For people: what the holder is doing. */
      readonly label: string;
      readonly wait: boolean;
    }
  /** Gives up waiting, or gives back a grant that arrived after the requester had gone. */
  | { readonly type: 'lock-abandoned'; readonly name: LockName; readonly session: SessionId; readonly owner: LockOwner }
  | {
      readonly type: 'lock-released';
      readonly name: LockName;
      readonly session: SessionId;
      readonly token: FencingToken;
    }
  /** A person takes the lock from its holder. Refused unless the holder still has the token that person saw. */
  | {
      readonly type: 'lock-force-released';
      readonly name: LockName;
      readonly expectedToken: FencingToken;
      readonly by: string;
      readonly reason: string;
    };
