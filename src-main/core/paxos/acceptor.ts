import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { votesAheadMax } from '../machine/limits.ts';
import { compareBallots, sameBallot, type Ballot } from './ballot.ts';
import type { EffectList } from './effects.ts';
import type { PaxosMessage, RefusalReason } from './messages.ts';
import type { SlotLog } from './slot-log.ts';
import { hasSeat } from './voters.ts';

type Of<Payload, Type extends PaxosMessage<Payload>['type']> = Extract<PaxosMessage<Payload>, { type: Type }>;

export interface AcceptorSelf {
  readonly node: NodeId;
  readonly incarnation: string;
}

/** The coordinator that a node hears, and the ballot with which that coordinator lets another prepare. */
export interface Followed {
  readonly node: NodeId;
  readonly leave: Ballot | null;
}

/**
 * The memory of Paxos. It never accepts below a promise it ever sent, across restarts: each promise and vote is
 * persisted before the answer that shows it leaves ("Paxos Made Simple", section 2.2, P1a and the end of 2.2).
 */
export class Acceptor<Payload> {
  readonly #self: AcceptorSelf;
  readonly #log: SlotLog<Payload>;
  readonly #out: EffectList<Payload>;
  #promised: Ballot | null = null;
  #lowestEpoch = 0;

  constructor(self: AcceptorSelf, log: SlotLog<Payload>, out: EffectList<Payload>) {
    this.#self = self;
    this.#log = log;
    this.#out = out;
  }

  get promised(): Ballot | null {
    return this.#promised;
  }

  /** A new epoch was promised: ballots of lower ones are refused from here on. */
  ignoreBelow(epoch: number): void {
    this.#lowestEpoch = Math.max(this.#lowestEpoch, epoch);
  }

  /** Replays a promise or a vote from disk. */
  restore(ballot: Ballot): void {
    if (this.#promised === null || compareBallots(ballot, this.#promised) > 0) this.#promised = ballot;
  }

  /** A candidate's own promise, on disk before its first prepare leaves; otherwise a restart could reuse the ballot. */
  promiseSelf(ballot: Ballot): void {
    this.#promised = ballot;
    this.#out.persist({ type: 'promised', ballot });
    this.#answerPromise(this.#self.node, ballot);
  }

  /** `followed`: whom this node believes alive as coordinator, if anyone; it refuses others meanwhile. */
  onPrepare(from: NodeId, message: Of<Payload, 'prepare'>, followed: Followed | null): void {
    const { ballot } = message;
    const reason = this.#refusal(from, ballot);
    if (reason !== null) return this.#refuse(from, ballot, reason);
    // Pre-votes go stale while a candidate waits for answers, so stickiness needs this refusal as well.
    const left = message.leave !== null && sameBallot(message.leave, followed?.leave ?? null);
    if (followed !== null && followed.node !== from && !left) {
      return this.#refuse(from, ballot, 'coordinator-alive');
    }
    if (!sameBallot(this.#promised, ballot)) {
      this.#promised = ballot;
      this.#out.persist({ type: 'promised', ballot });
    }
    this.#answerPromise(from, ballot);
  }

  #answerPromise(to: NodeId, ballot: Ballot): void {
    this.#out.send(to, { type: 'promise', ballot, committed: this.#log.committed, votes: this.#log.votes() });
  }

  /**
   * Answers whether the proposer's ballot was obeyed. A machine without a seat keeps what the only voter sends it as
   * a voter would, and its answer is counted as a copy, never as a vote.
   */
  onAccept(from: NodeId, message: Of<Payload, 'accept'>): boolean {
    const { ballot, firstSlot, entries } = message;
    const lastSlot = firstSlot + entries.length - 1;
    const refusal = this.#refusal(from, ballot);
    const kept = refusal === 'not-a-voter' && this.#keepsCopies(from, ballot) ? this.#outbid(ballot) : refusal;
    const reason = kept ?? (lastSlot > this.#log.committed + votesAheadMax ? 'behind' : null);
    if (reason !== null) {
      this.#refuse(from, ballot, reason);
      return false;
    }
    this.#promised = ballot;
    entries.forEach((entry, index) => {
      this.#log.vote(slot(firstSlot + index), ballot, entry);
    });
    this.#out.persist({ type: 'accepted', ballot, firstSlot, entries });
    this.#out.send(from, { type: 'accepted', ballot, firstSlot, lastSlot: slot(lastSlot) });
    return true;
  }

  /** Obeying a coordinator raises the durable promise to its ballot. Answers whether it was obeyed. */
  onHeartbeat(from: NodeId, ballot: Ballot): boolean {
    const reason = this.#refusal(from, ballot);
    if (reason === 'not-a-voter') return true;
    if (reason !== null) {
      this.#refuse(from, ballot, reason);
      return false;
    }
    if (!sameBallot(this.#promised, ballot)) {
      this.#promised = ballot;
      this.#out.persist({ type: 'promised', ballot });
    }
    return true;
  }

  #refusal(from: NodeId, ballot: Ballot): RefusalReason | null {
    const config = this.#log.config;
    if (ballot.epoch < this.#lowestEpoch) return 'stopped';
    if (config === null || ballot.epoch > config.epoch) return 'behind';
    if (ballot.epoch < config.epoch || ballot.config < config.id) return 'stopped';
    if (ballot.config > config.id) return 'behind';
    if (from !== ballot.voter || !hasSeat(config, this.#self.node, this.#self.incarnation)) return 'not-a-voter';
    return this.#outbid(ballot);
  }

  #outbid(ballot: Ballot): RefusalReason | null {
    if (this.#promised !== null && compareBallots(ballot, this.#promised) < 0) return 'lower-ballot';
    return null;
  }

  #keepsCopies(from: NodeId, ballot: Ballot): boolean {
    const voters = this.#log.config?.voters;
    return from === ballot.voter && voters?.length === 1 && voters[0]?.node === from && from !== this.#self.node;
  }

  #refuse(to: NodeId, ballot: Ballot, reason: RefusalReason): void {
    this.#out.send(to, { type: 'refuse', ballot, reason, promised: this.#promised, committed: this.#log.committed });
  }

  /** Slots up to `upTo` that a coordinator of `ballot` says are chosen and for which this acceptor voted in that ballot. */
  chosenByVote(ballot: Ballot, upTo: Slot): boolean {
    const next = slot(this.#log.committed + 1);
    return next <= upTo && sameBallot(this.#log.voteAt(next)?.ballot ?? null, ballot);
  }
}
