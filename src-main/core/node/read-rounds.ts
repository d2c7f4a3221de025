import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import { sameBallot, type Ballot } from '../paxos/ballot.ts';

/** What a round of reads needs of the replica. */
export interface ReadableReplica {
  readonly committed: Slot;
  readonly ballot: Ballot | null;
  /** The own-ballot barrier is chosen. */
  readonly serving: boolean;
  /** The latest heartbeat that a quorum of voters has answered under the own ballot. */
  readonly confirmedBeat: number;
  /** Sends a new heartbeat to all voters. Answers its number. */
  confirm(now: Instant): number;
}

export interface ReadAnswer {
  readonly to: NodeId;
  readonly attempt: number;
  /** Null: this node cannot answer. */
  readonly slot: Slot | null;
}

interface Round {
  readonly ballot: Ballot | null;
  readonly beat: number;
  readonly index: Slot;
  readonly attempts: ReadonlyMap<NodeId, number>;
}

/**
 * The coordinator's part in linearizable reads (ReadIndex; Ongaro 2014, section 6.4): it notes its commit index and
 * then makes sure, by a heartbeat that left after the question came, that no quorum follows a higher ballot. Before
 * its own-ballot barrier the commit index may miss what earlier coordinators had chosen, so questions wait for it.
 * Many questions share one round; one round at a time is under way. Each node has one attempt at most in here.
 */
export class ReadRounds {
  #waiting = new Map<NodeId, number>();
  #round: Round | null = null;

  /** A later attempt of the same node takes the place of an earlier one, which it no longer listens for. */
  ask(from: NodeId, attempt: number): void {
    this.#waiting.set(from, attempt);
  }

  /** Ends the round that is confirmed, starts the next one that is wanted. */
  advance(now: Instant, replica: ReadableReplica): ReadAnswer[] {
    if (!replica.serving) return [];
    const answers = this.#takeConfirmed(replica);
    if (this.#round !== null || this.#waiting.size === 0) return answers;
    const attempts = this.#waiting;
    const index = replica.committed;
    this.#waiting = new Map();
    this.#round = { ballot: replica.ballot, beat: replica.confirm(now), index, attempts };
    // A single voter is a quorum by itself.
    return [...answers, ...this.#takeConfirmed(replica)];
  }

  #takeConfirmed(replica: ReadableReplica): ReadAnswer[] {
    const round = this.#round;
    if (round === null) return [];
    // Heartbeats are numbered within a ballot: under another one this round means nothing.
    if (!sameBallot(round.ballot, replica.ballot)) {
      this.#waiting = new Map([...round.attempts, ...this.#waiting]);
      this.#round = null;
      return [];
    }
    if (replica.confirmedBeat < round.beat) return [];
    this.#round = null;
    return [...round.attempts].map(([to, attempt]) => ({ to, attempt, slot: round.index }));
  }

  /** Coordination is over: whoever waits is told to ask elsewhere. */
  end(): ReadAnswer[] {
    const attempts = [...(this.#round?.attempts ?? []), ...this.#waiting];
    this.#round = null;
    this.#waiting = new Map();
    return attempts.map(([to, attempt]) => ({ to, attempt, slot: null }));
  }
}
