import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { ElectionMessage } from '../election/messages.ts';
import type { Departure } from '../membership/voter-choice.ts';
import type { Effect } from '../machine/effect.ts';
import type { Ballot } from '../paxos/ballot.ts';
import type { PaxosFact, Snapshot } from '../paxos/facts.ts';
import type { PaxosMessage } from '../paxos/messages.ts';
import type { Voter, VoterConfig } from '../paxos/voters.ts';
import type { CommandResult, LoggedRequest, Request } from '../state-machine/command.ts';
import type { StateEvent } from '../state-machine/events.ts';
import type { Checkpoint, Divergence } from './checkpoints.ts';
import type { Outdated } from './level-gate.ts';

/** A member hands its requests to the coordinator. No reply but a refusal: it sees them applied in its own log. */
export type ProposalMessage =
  | { readonly type: 'propose'; readonly requests: readonly Request[] }
  | {
      readonly type: 'propose-refused';
      readonly sequences: readonly number[];
      readonly failure: Failure;
      /** Where the refuser believes the coordinator is. */
      readonly coordinator: NodeId | null;
    };

/** A machine tells the coordinator that it is going, so that its seat can go to another; null takes that back. */
export interface DepartingMessage {
  readonly type: 'departing';
  readonly departure: Departure | null;
}

/** A member asks the coordinator how far the log is, for its linearizable reads. Each attempt has its own number. */
export type ReadMessage =
  | { readonly type: 'read-index'; readonly attempt: number }
  /** Everything that was complete when the attempt arrived is at or below `slot`. Null: the sender cannot say. */
  | { readonly type: 'read-index-answer'; readonly attempt: number; readonly slot: Slot | null };

/** The coordinator of this ballot lets one voter prepare, though everybody hears it. */
export interface TakeOverMessage {
  readonly type: 'take-over';
  readonly ballot: Ballot;
  /** Why, for people. */
  readonly reason: string;
}

/** What machines have at a slot, to be compared. */
export type ComparisonMessage =
  /** To the coordinator: what the sender has. From it: a chain that goes further back than the receiver's. */
  | { readonly type: 'checkpoint'; readonly checkpoint: Checkpoint }
  /** From the coordinator: the receiver differs from this, which a majority has when it is `settled`. */
  | { readonly type: 'divergence'; readonly checkpoint: Checkpoint; readonly settled: boolean };

export type NodeMessage =
  | ElectionMessage
  | PaxosMessage<LoggedRequest>
  | ProposalMessage
  | DepartingMessage
  | ReadMessage
  | TakeOverMessage
  | ComparisonMessage;

export type NodeFact = PaxosFact<LoggedRequest>;

export type NodeTimer =
  'heartbeat' | 'suspect' | 'election' | 'retry' | 'sessions' | 'placement' | 'copy' | 'commit-news';

/** What a node process finds on its disk when it starts. */
export interface Recovered {
  /** The latest snapshot; a founder's first one is at slot 0, a joiner has none. */
  readonly snapshot: Snapshot | null;
  /** Every fact after it, in the order written. */
  readonly facts: readonly NodeFact[];
}

export type NodeInput =
  | { readonly type: 'started' }
  | { readonly type: 'received'; readonly from: NodeId; readonly message: NodeMessage }
  | { readonly type: 'timer'; readonly timer: NodeTimer }
  | { readonly type: 'peer-connected'; readonly peer: NodeId }
  /** A closed connection is a strong hint that the peer is gone. */
  | { readonly type: 'peer-disconnected'; readonly peer: NodeId }
  /** The signed membership set as this node knows it: other machines are ignored. */
  | { readonly type: 'members-changed'; readonly members: readonly NodeId[] }
  /** Requests of this node's own services, in order: those of one turn come together and share their way to the log. */
  | { readonly type: 'requested'; readonly requests: readonly Request[] }
  /** Linearizable reads of this node's own services; every id is new. Those of one turn share a round. */
  | { readonly type: 'read-requested'; readonly ids: readonly number[] }
  /** As coordinator: lets another voter coordinate, the best one when `to` is null. Without effect elsewhere. */
  | { readonly type: 'hand-over'; readonly to: NodeId | null; readonly reason: string }
  /** The clock jumped or the machine slept: whatever was believed about others is void. */
  | { readonly type: 'woke' }
  /** This machine is about to go, for good or for a while; null: it stays, or is back. */
  | { readonly type: 'departing'; readonly departure: Departure | null }
  /** The disk is full: only what is essential may begin, and somebody else should coordinate, until it is ready again. */
  | { readonly type: 'disk-full' }
  | { readonly type: 'disk-ready' }
  /** A person decided on a new epoch: hear no lower one any more, and tell `to`, who opens it, what is here. */
  | { readonly type: 'promise-epoch'; readonly epoch: number; readonly to: NodeId }
  /** Open that epoch with these voters, once all of `from` have promised it to this machine. */
  | {
      readonly type: 'open-epoch';
      readonly epoch: number;
      readonly voters: readonly Voter[];
      readonly from: readonly NodeId[];
    }
  /** A person has looked through what was set aside: it need not be kept any longer. */
  | { readonly type: 'reviewed' }
  /** How busy a machine says it is, 0 to 1 per core: a hint for placement. */
  | { readonly type: 'load-heard'; readonly node: NodeId; readonly load: number };

export type NodeRole = 'learner' | 'voter' | 'candidate' | 'coordinator';

export type NodeEvent =
  /** An entry took effect at `slot`. `request` is null for barriers, stop-signs and no-ops. */
  | {
      readonly type: 'applied';
      readonly slot: Slot;
      readonly request: Request | null;
      readonly result: CommandResult;
      readonly events: readonly StateEvent[];
    }
  /** The state was replaced by a snapshot at `slot`: whatever followed from events must be read from the state again. */
  | { readonly type: 'state-replaced'; readonly slot: Slot }
  /** An own request took effect before the snapshot that replaced the state: its entry is not seen, its result is. */
  | { readonly type: 'request-answered'; readonly request: Request; readonly result: CommandResult }
  | { readonly type: 'request-refused'; readonly sequence: number; readonly failure: Failure }
  /** The state now holds everything that was complete when the read was asked for, and perhaps more. */
  | { readonly type: 'read-ready'; readonly id: number; readonly slot: Slot }
  | { readonly type: 'read-failed'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'role-changed'; readonly role: NodeRole; readonly ballot: Ballot | null; readonly reason: string }
  /** `coordinator` null: none is heard. */
  | {
      readonly type: 'coordinator-changed';
      readonly coordinator: NodeId | null;
      readonly ballot: Ballot | null;
      readonly reason: string;
    }
  /**
   * A machine, perhaps this one, has another log or state than others. This one, once it is settled, has stopped: it
   * must come back as another voter, from what the others have.
   */
  | { readonly type: 'diverged'; readonly divergence: Divergence }
  /** The swarm has a feature level that this program does not understand. It has stopped, and leaves its disk as it is. */
  | { readonly type: 'outdated'; readonly outdated: Outdated }
  | { readonly type: 'config-changed'; readonly config: VoterConfig }
  /** Compaction: this snapshot now stands for everything up to its slot. */
  | { readonly type: 'snapshot-taken'; readonly snapshot: Snapshot };

export type NodeEffect = Effect<NodeId, NodeMessage, NodeFact, NodeEvent, NodeTimer>;
