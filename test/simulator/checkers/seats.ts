import type { NodeId } from '../../../shared/domain/ids.ts';
import type { NodeInput } from '../../../src-main/core/node/messages.ts';
import { compareBallots, showBallot } from '../../../src-main/core/paxos/ballot.ts';
import { hasSeat } from '../../../src-main/core/paxos/voters.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import type { Broken, Checker, Run } from './checker.ts';

/**
 * Rules whose harm needs several mishaps within a second or two, so each machine is held to them step by step: who
 * answers in elections and confirms rounds has a seat, and only the ballot that is followed shows that it is alive.
 */
export class Seats implements Checker {
  readonly name = 'seats';
  readonly #broken: Broken;
  /** Whether each machine had a seat before the step. */
  readonly #seated = new Map<NodeId, boolean>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  onBoot(run: Run): void {
    this.#seated.set(run.node, isSeated(run));
  }

  onStep(run: Run, input: NodeInput, effects: readonly NodeEffect[]): void {
    const before = this.#seated.get(run.node) ?? false;
    const after = isSeated(run);
    this.#seated.set(run.node, after);
    if (!before && !after) this.#withoutSeat(run, effects);
    if (input.type === 'received' && input.message.type === 'heartbeat') this.#onHeartbeat(run, input.message, effects);
  }

  #withoutSeat(run: Run, effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'send') continue;
      const { message } = effect;
      if (message.type === 'pre-vote-answer')
        this.#broken('elections are of voters', `${run.node} has no seat and answers a pre-vote of ${effect.to}`);
      if (message.type === 'heartbeat-ack' && message.seated)
        this.#broken(
          'rounds are of voters',
          `${run.node} has no seat and says to ${effect.to} that it follows as a voter`,
        );
    }
  }

  #onHeartbeat(
    run: Run,
    { ballot }: { readonly ballot: Parameters<typeof showBallot>[0] },
    effects: readonly NodeEffect[],
  ) {
    const { promised } = run.machine;
    const waits = effects.some((effect) => effect.type === 'set-timer' && effect.timer === 'suspect');
    if (waits && promised !== null && compareBallots(ballot, promised) < 0)
      this.#broken(
        'signs of life',
        `${run.node} promised ${showBallot(promised)} and takes ${showBallot(ballot)} as alive`,
      );
  }
}

function isSeated({ machine, node, incarnation }: Run): boolean {
  return machine.config !== null && hasSeat(machine.config, node, incarnation);
}
