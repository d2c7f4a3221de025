import type { KvKey, NodeId, SessionId, Slot, WallTime } from '../../../shared/domain/ids.ts';

/** A key as it stands. Revisions are slots of the log, so they order changes of all keys. */
export interface KvEntry {
  readonly key: KvKey;
  readonly value: string;
  /** The slot that created it, since it was last absent. */
  readonly created: Slot;
  /** The slot that last put it. */
  readonly revision: Slot;
  /** Puts since it was created, that one included. */
  readonly version: number;
  /** The session it ends with. */
  readonly session: SessionId | null;
  readonly by: NodeId;
  /** For people. */
  readonly at: WallTime;
}

export type KvChange =
  | { readonly type: 'put'; readonly entry: KvEntry }
  | {
      readonly type: 'removed';
      readonly key: KvKey;
      readonly revision: Slot;
      readonly cause: 'deleted' | 'session-ended';
      readonly by: NodeId;
      readonly at: WallTime;
    };

/** What one operation of a transaction answers; `previous` is the revision it replaced, 0 when there was no such key. */
export type KvAnswer =
  | { readonly type: 'put'; readonly key: KvKey; readonly previous: number; readonly version: number }
  | { readonly type: 'deleted'; readonly key: KvKey; readonly previous: number }
  | { readonly type: 'got'; readonly key: KvKey; readonly entry: KvEntry | null };

export const revisionOf = (change: KvChange): Slot => (change.type === 'put' ? change.entry.revision : change.revision);

export const keyOf = (change: KvChange): KvKey => (change.type === 'put' ? change.entry.key : change.key);
