import type { Slot } from '../../../shared/domain/ids.ts';
import type { Ballot } from './ballot.ts';
import type { LogChain } from './log-chain.ts';
import type { Voter, VoterConfig } from './voters.ts';

/** What a slot holds. `Payload` is the state machine's; Paxos never looks inside. */
export type Entry<Payload> =
  | { readonly type: 'payload'; readonly payload: Payload }
  /** Fills a gap that a new coordinator found. */
  | { readonly type: 'no-op' }
  /** A coordinator's own-ballot barrier: once chosen, it serves. */
  | { readonly type: 'open'; readonly ballot: Ballot }
  /** Ends its configuration: the next begins at the following slot with its own ballots (Stoppable Paxos, 2008). */
  | { readonly type: 'stop-sign'; readonly voters: readonly Voter[] };

export interface Vote<Payload> {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly entry: Entry<Payload>;
}

export type RefusalReason =
  /** A higher ballot was promised. */
  | 'lower-ballot'
  /** The refuser hears a live coordinator (stickiness). */
  | 'coordinator-alive'
  /** The refuser's log does not reach the slot: it is catching up. */
  | 'behind'
  /** The configuration of the ballot has ended. */
  | 'stopped'
  /** The refuser has no seat in the configuration of the ballot. */
  | 'not-a-voter';

/** The messages of Multi-Paxos, named as in "Paxos Made Simple" (2001), and those that spread what was chosen. */
export type PaxosMessage<Payload> =
  | {
      readonly type: 'prepare';
      readonly ballot: Ballot;
      readonly fromSlot: Slot;
      /** The ballot of the coordinator that asked for this; null for a candidate of its own accord. */
      readonly leave: Ballot | null;
    }
  /** Every vote above the sender's own commit index. */
  | {
      readonly type: 'promise';
      readonly ballot: Ballot;
      readonly committed: Slot;
      readonly votes: readonly Vote<Payload>[];
    }
  | {
      readonly type: 'refuse';
      readonly ballot: Ballot;
      readonly reason: RefusalReason;
      readonly promised: Ballot | null;
      readonly committed: Slot;
    }
  | {
      readonly type: 'accept';
      readonly ballot: Ballot;
      readonly firstSlot: Slot;
      readonly entries: readonly Entry<Payload>[];
      readonly committed: Slot;
    }
  /** This acceptor's votes in `ballot` for these slots are on its disk. */
  | { readonly type: 'accepted'; readonly ballot: Ballot; readonly firstSlot: Slot; readonly lastSlot: Slot }
  /** The receipt of a phase-1 quorum and a sign of life. `beat` numbers them for read and quorum checks. */
  | {
      readonly type: 'heartbeat';
      readonly ballot: Ballot;
      readonly committed: Slot;
      readonly beat: number;
      /** The feature level at the sender: whoever does not understand it must stop, however far its own log is. */
      readonly level: number;
    }
  /** `incarnation`: of the state directory that answers. A seat is offered to it, not to what a session remembers. */
  | {
      readonly type: 'heartbeat-ack';
      readonly ballot: Ballot;
      readonly beat: number;
      readonly committed: Slot;
      readonly incarnation: string;
      /** The sender has promised no higher ballot and holds its seat in that configuration: it counts towards a quorum. */
      readonly seated: boolean;
    }
  /** Asks any replica for chosen entries from a slot on. */
  | { readonly type: 'learn-request'; readonly fromSlot: Slot }
  | {
      readonly type: 'learn-reply';
      readonly firstSlot: Slot;
      readonly entries: readonly Entry<Payload>[];
      readonly committed: Slot;
    }
  /** The answer when the entries asked for are compacted: part `offset` of the snapshot that stands for slots up to `slot`. */
  | {
      readonly type: 'snapshot-part';
      readonly slot: Slot;
      readonly config: VoterConfig;
      readonly chain: LogChain | null;
      readonly offsetChars: number;
      readonly totalChars: number;
      readonly text: string;
    }
  /** To whoever opens a new epoch: the promise to hear no lower one is on disk, and this is what the sender has. */
  | {
      readonly type: 'epoch-promise';
      readonly epoch: number;
      readonly committed: Slot;
      readonly votes: readonly Vote<Payload>[];
    }
  | { readonly type: 'snapshot-request'; readonly slot: Slot; readonly offsetChars: number };
