import type { NodeId } from '../../../shared/domain/ids.ts';
import type { RankMove, RankPin } from './rank-table.ts';

export type RankCommand =
  /** The coordinator's, from what it has seen of others: one band at a time, once a day. */
  | { readonly type: 'ranks-changed'; readonly moves: readonly RankMove[] }
  /** An owner's request about a machine; `by` is for people. */
  | { readonly type: 'rank-pinned'; readonly node: NodeId; readonly pin: RankPin; readonly by: string };
