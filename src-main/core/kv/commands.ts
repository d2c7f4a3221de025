import type { FencingToken, KvKey, LockName, NodeId, SessionId, Slot } from '../../../shared/domain/ids.ts';

export type KvRelation = 'equal' | 'not-equal' | 'less' | 'greater';

/**
 * What must be so for the first branch of a transaction. A key that is not there has revision, creation and version 0
 * and equals no value. `lock` holds while that lock is held with that token: a writer that lost its lock writes nothing.
 */
export type KvCompare =
  | {
      readonly type: 'value';
      readonly key: KvKey;
      readonly relation: 'equal' | 'not-equal';
      readonly value: string;
    }
  | { readonly type: 'revision'; readonly key: KvKey; readonly relation: KvRelation; readonly revision: Slot }
  | { readonly type: 'created'; readonly key: KvKey; readonly relation: KvRelation; readonly revision: Slot }
  | { readonly type: 'version'; readonly key: KvKey; readonly relation: KvRelation; readonly version: number }
  | { readonly type: 'lock'; readonly name: LockName; readonly token: FencingToken };

export type KvOperation =
  /** With a session, the key is removed when that session ends. Without one, it stays until somebody deletes it. */
  | { readonly type: 'put'; readonly key: KvKey; readonly value: string; readonly session: SessionId | null }
  | { readonly type: 'delete'; readonly key: KvKey }
  | { readonly type: 'get'; readonly key: KvKey };

/**
 * One entry, all or nothing: when every comparison holds the first operations take effect, otherwise the others.
 * A branch names a key at most once, so its operations have no order among themselves.
 */
export interface KvTransaction {
  /** The machine that asks: for people. */
  readonly by: NodeId;
  readonly compares: readonly KvCompare[];
  readonly thenOperations: readonly KvOperation[];
  readonly elseOperations: readonly KvOperation[];
}

export type KvCommand = { readonly type: 'kv-transacted' } & KvTransaction;
