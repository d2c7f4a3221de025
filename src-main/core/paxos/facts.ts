import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { Ballot } from './ballot.ts';
import type { LogChain } from './log-chain.ts';
import type { Entry } from './messages.ts';
import type { VoterConfig } from './voters.ts';

/** All that must survive a crash; nothing else is written to the journal. Replayed in the order written. */
export type PaxosFact<Payload> =
  | { readonly type: 'promised'; readonly ballot: Ballot }
  | {
      readonly type: 'accepted';
      readonly ballot: Ballot;
      readonly firstSlot: Slot;
      readonly entries: readonly Entry<Payload>[];
    }
  /** Entries known to be chosen, learned from a replica. */
  | { readonly type: 'learned'; readonly firstSlot: Slot; readonly entries: readonly Entry<Payload>[] }
  /** Nothing of a lower epoch is heard any more. `to`: whom it was promised. */
  | { readonly type: 'epoch-promised'; readonly epoch: number; readonly to: NodeId }
  /** What this machine had of an ended epoch and the next one has not. */
  | { readonly type: 'set-aside'; readonly epoch: number; readonly entries: readonly Entry<Payload>[] }
  /** A person has looked through all that was set aside. */
  | { readonly type: 'reviewed' }
  /** The votes of this node up to here are chosen. Recorded without a barrier. */
  | { readonly type: 'committed'; readonly slot: Slot };

/** Replaces every fact about slots up to `slot`. `state` is the state machine's own text. */
export interface Snapshot {
  readonly slot: Slot;
  /** The configuration in force at `slot` + 1. */
  readonly config: VoterConfig;
  readonly state: string;
  /** Of the log up to `slot`; null in a snapshot of an earlier program. */
  readonly chain: LogChain | null;
}
