import type { NodeId } from '../../../shared/domain/ids.ts';
import type { NodeInput, NodeMessage } from '../../../src-main/core/node/messages.ts';
import { sameBallot, showBallot, type Ballot } from '../../../src-main/core/paxos/ballot.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import type { Broken, Checker, Run } from './checker.ts';

/** Well below the shortest silence after which a coordinator may be suspected. */
const freshMs = 900;

interface Heard {
  readonly from: NodeId;
  readonly ballot: Ballot;
  readonly at: number;
}

/**
 * E3: whoever hears a living coordinator promises nobody else a ballot of that configuration, unless the candidate
 * names the very ballot that is heard: then the coordinator has handed over.
 */
export class Stickiness implements Checker {
  readonly name = 'stickiness';
  readonly #broken: Broken;
  readonly #now: () => number;
  readonly #heard = new Map<NodeId, Heard>();

  constructor(broken: Broken, now: () => number) {
    this.#broken = broken;
    this.#now = now;
  }

  onBoot(run: Run): void {
    this.#heard.delete(run.node);
  }

  onStep(run: Run, input: NodeInput, effects: readonly NodeEffect[]): void {
    const heard = this.#heard.get(run.node);
    if (input.type === 'woke' || (input.type === 'peer-disconnected' && input.peer === heard?.from)) {
      this.#heard.delete(run.node);
    }
    if (input.type !== 'received') return;
    // A coordinator that asks for votes says that it does not coordinate any more.
    const asks = input.message.type === 'pre-vote' || input.message.type === 'election';
    if (asks && input.from === heard?.from) this.#heard.delete(run.node);
    if (input.message.type === 'prepare') this.#onPrepare(run, input.from, input.message, effects);
    // Only what was obeyed counts: a voter waits anew, for the coordinator that it knows afterwards.
    const known = run.machine.coordinator;
    // Whoever coordinates itself follows nobody; whom it lets go ahead is its own affair.
    if (known?.node === run.node) this.#heard.delete(run.node);
    const sign = input.message.type === 'heartbeat' || input.message.type === 'accept';
    const obeyed = effects.some((effect) => effect.type === 'set-timer' && effect.timer === 'suspect');
    if (sign && obeyed && known?.node === input.from && known.node !== run.node) {
      this.#heard.set(run.node, { from: input.from, ballot: known.ballot, at: this.#now() });
    }
  }

  #onPrepare(
    run: Run,
    from: NodeId,
    message: Extract<NodeMessage, { type: 'prepare' }>,
    effects: readonly NodeEffect[],
  ): void {
    const heard = this.#heard.get(run.node);
    if (heard === undefined || heard.from === from || this.#now() - heard.at > freshMs) return;
    if (heard.ballot.config !== message.ballot.config || sameBallot(message.leave, heard.ballot)) return;
    const promised = effects.some((effect) => effect.type === 'send' && effect.message.type === 'promise');
    if (!promised) return;
    this.#broken(
      'a living coordinator is not deposed',
      `${run.node} promises ${showBallot(message.ballot)} while it hears ${showBallot(heard.ballot)}`,
    );
  }
}
