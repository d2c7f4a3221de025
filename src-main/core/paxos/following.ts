import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import type { Acceptor, AcceptorSelf } from './acceptor.ts';
import { sameBallot, type Ballot } from './ballot.ts';
import type { EffectList } from './effects.ts';
import type { Epochs } from './epochs.ts';
import type { Learner } from './learner.ts';
import type { PaxosMessage } from './messages.ts';
import type { OutcomeOfStep } from './outcome.ts';
import type { Chosen, SlotLog } from './slot-log.ts';

type Of<Payload, Type extends PaxosMessage<Payload>['type']> = Extract<PaxosMessage<Payload>, { type: Type }>;

interface FollowingOptions<Payload> {
  readonly self: AcceptorSelf;
  readonly log: SlotLog<Payload>;
  readonly acceptor: Acceptor<Payload>;
  readonly learner: Learner<Payload>;
  readonly epochs: Epochs<Payload>;
  readonly out: EffectList<Payload>;
  readonly outcome: OutcomeOfStep<Payload>;
  readonly hasSeat: () => boolean;
  /** A ballot was obeyed: an own attempt below it is over. */
  readonly yieldTo: (ballot: Ballot) => void;
  readonly noteChosen: (chosen: readonly Chosen<Payload>[]) => void;
}

/** What a machine does on the word of a coordinator: votes, signs of life, and how far the log is chosen. */
export class Following<Payload> {
  readonly #options: FollowingOptions<Payload>;
  /** The beat last answered, so that a repeated commit notice is not answered again. */
  #answered: { readonly ballot: Ballot; readonly beat: number } | null = null;

  constructor(options: FollowingOptions<Payload>) {
    this.#options = options;
  }

  onAccept(now: Instant, from: NodeId, message: Of<Payload, 'accept'>): void {
    const { acceptor, learner, outcome, yieldTo } = this.#options;
    if (!acceptor.onAccept(from, message)) {
      learner.noteAhead(now, from, message.committed);
      return;
    }
    yieldTo(message.ballot);
    outcome.heard = { coordinator: from, ballot: message.ballot };
    this.#follow(now, from, message.ballot, message.committed);
  }

  onHeartbeat(now: Instant, from: NodeId, message: Of<Payload, 'heartbeat'>): void {
    const { log, acceptor, epochs, outcome, yieldTo } = this.#options;
    const { ballot, beat, committed } = message;
    const { config } = log;
    const sameEpoch = ballot.epoch === config?.epoch;
    const behind = config === null || ballot.epoch > config.epoch || (sameEpoch && ballot.config > config.id);
    if (ballot.epoch < epochs.floor) return;
    if (from !== ballot.voter || (!behind && !acceptor.onHeartbeat(from, ballot))) return;
    yieldTo(ballot);
    outcome.heard = { coordinator: from, ballot };
    this.#follow(now, from, ballot, committed);
    if (this.#answered?.beat === beat && sameBallot(this.#answered.ballot, ballot)) return;
    this.#answered = { ballot, beat };
    this.#answer(from, ballot, beat, behind);
  }

  #answer(to: NodeId, ballot: Ballot, beat: number, behind: boolean): void {
    const { self, log, out, hasSeat } = this.#options;
    // A voter that lags behind the configuration has not compared the ballot with its promise; one with a new state
    // directory has forgotten its promise. Neither shows that no quorum follows a higher ballot.
    const seated = !behind && hasSeat();
    const { incarnation } = self;
    out.send(to, { type: 'heartbeat-ack', ballot, beat, committed: log.committed, incarnation, seated });
  }

  /** Moves the commit index along the coordinator's, by own votes where they are of its ballot, else by asking. */
  #follow(now: Instant, from: NodeId, ballot: Ballot, committed: Slot): void {
    const { self, log, acceptor, learner, out, noteChosen } = this.#options;
    const before = log.committed;
    while (acceptor.chosenByVote(ballot, committed)) {
      const vote = log.voteAt(slot(log.committed + 1));
      if (vote === undefined) break;
      noteChosen([log.commit(vote.entry)]);
    }
    if (log.committed > before) out.record({ type: 'committed', slot: log.committed });
    if (from !== self.node) learner.noteAhead(now, from, committed);
  }
}
