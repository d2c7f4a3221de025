import type { NodeId } from '../../../shared/domain/ids.ts';
import { sameBallot, type Ballot } from '../paxos/ballot.ts';
import type { NodeEvent, NodeRole } from './messages.ts';

export interface KnownCoordinator {
  readonly node: NodeId;
  readonly ballot: Ballot;
}

/** What this node is and whom it follows, with an event and a reason for every change. */
export class Standing {
  readonly #emit: (event: NodeEvent) => void;
  #role: NodeRole = 'learner';
  #reason = 'started';
  #coordinator: KnownCoordinator | null = null;

  constructor(emit: (event: NodeEvent) => void) {
    this.#emit = emit;
  }

  get role(): NodeRole {
    return this.#role;
  }

  get coordinator(): KnownCoordinator | null {
    return this.#coordinator;
  }

  /** The ballot under which this machine is known to coordinate; null when another does, or none. */
  ballotOf(node: NodeId): Ballot | null {
    return this.#coordinator?.node === node ? this.#coordinator.ballot : null;
  }

  become(role: NodeRole, ballot: Ballot | null, reason: string): void {
    this.#reason = reason;
    if (role === this.#role) return;
    this.#role = role;
    this.#emit({ type: 'role-changed', role, ballot, reason });
  }

  /** Answers whether that is news. */
  follow(node: NodeId, ballot: Ballot): boolean {
    const known = this.#coordinator;
    if (known?.node === node && sameBallot(known.ballot, ballot)) return false;
    this.#coordinator = { node, ballot };
    this.#emit({ type: 'coordinator-changed', coordinator: node, ballot, reason: 'it has a phase-1 quorum' });
    return true;
  }

  /** This node itself has a phase-1 quorum; why it tried is the reason. */
  coordinate(self: NodeId, ballot: Ballot): void {
    this.#coordinator = { node: self, ballot };
    this.#emit({ type: 'coordinator-changed', coordinator: self, ballot, reason: this.#reason });
  }

  /** It takes part in nothing any more, whatever seat it has. */
  retire(reason: string): void {
    this.followNobody(reason);
    this.become('learner', null, reason);
  }

  followNobody(reason: string): void {
    if (this.#coordinator === null) return;
    this.#coordinator = null;
    this.#emit({ type: 'coordinator-changed', coordinator: null, ballot: null, reason });
  }
}

/** What a replica in this phase is, in the words for people. */
export function roleOf(replica: {
  readonly phase: 'idle' | 'preparing' | 'leading';
  readonly hasSeat: boolean;
}): NodeRole {
  if (replica.phase === 'leading') return 'coordinator';
  if (replica.phase === 'preparing') return 'candidate';
  return replica.hasSeat ? 'voter' : 'learner';
}
