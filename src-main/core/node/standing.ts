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

  followNobody(reason: string): void {
    if (this.#coordinator === null) return;
    this.#coordinator = null;
    this.#emit({ type: 'coordinator-changed', coordinator: null, ballot: null, reason });
  }
}
