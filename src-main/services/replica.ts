import type { Result } from '../../shared/domain/failure.ts';
import type { LockName, NodeId, SessionId, Slot } from '../../shared/domain/ids.ts';
import type { Outdated } from '../core/node/level-gate.ts';
import type { NodeEvent, NodeRole } from '../core/node/messages.ts';
import type { Ballot } from '../core/paxos/ballot.ts';
import type { SingleCopies } from '../core/paxos/copies.ts';
import type { VoterConfig } from '../core/paxos/voters.ts';
import type { Command, CommandResult } from '../core/state-machine/command.ts';
import type { SwarmState } from '../core/state-machine/state.ts';

/**
 * Waits for as long as the process lives. For what must not be asked twice: a second opening would count its lease
 * from a later moment than the swarm does, a second report would look like a stale one.
 */
export const untilAnsweredMs = 1e12;

export interface ProposeOptions {
  /** Gives up waiting after this long with `timed-out` or `unknown-outcome`: what was proposed may still be chosen. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** This machine's copy of the replicated state, and the way to change it. */
export interface Replica {
  readonly self: NodeId;
  /** The state as applied here. Never kept across an event: a snapshot may replace it whole. */
  state(): SwarmState;
  status(): ReplicaStatus;
  /** Answers what applying the command answered, at most once however often it had to be sent. A refusal is a failure. */
  propose(command: Command, options?: ProposeOptions): Promise<Result<CommandResult>>;
  /**
   * A linearizable read is `await readIndex()`, then, without waiting again, `state()`: by then this machine's state
   * holds everything that was complete when it was called. Fails with `no-coordinator`, `timed-out`, `limit-reached`
   * or `cancelled`; the state may be read all the same, as what this machine knows.
   */
  readIndex(signal?: AbortSignal): Promise<Result<Slot>>;
  /** As coordinator: how far each machine that answers has the log. Empty elsewhere. */
  progress(): ReadonlyMap<NodeId, Slot>;
  /** As coordinator: the rest of a session's lease. Null elsewhere. */
  leaseLeftMs(session: SessionId): number | null;
  /** As coordinator: the rest of the delay of a lock that was lost at slot `since`. Null elsewhere. */
  delayLeftMs(name: LockName, since: Slot, delayMs: number): number | null;
  /** Tells every later event in the order of the log, after it took effect on the state. Returns the end of it. */
  onEvent(listener: (event: NodeEvent) => void): () => void;
}

export interface ReplicaStatus {
  readonly role: NodeRole;
  readonly coordinator: NodeId | null;
  readonly ballot: Ballot | null;
  readonly config: VoterConfig | null;
  readonly committed: Slot;
  readonly applied: Slot;
  /** As the only voter: entries that no other disk is known to hold. Null for none, elsewhere, and where several vote. */
  readonly singleCopies: SingleCopies | null;
  /** Where log and state were last compared with those of others; null before. */
  readonly comparedSlot: Slot | null;
  /** The swarm has moved beyond this program, which takes part in nothing any more. Null as a rule. */
  readonly outdated: Outdated | null;
}
