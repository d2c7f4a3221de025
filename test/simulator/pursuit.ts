import type { NodeId } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { NodeEffect } from '../../src-main/runtime/outbox.ts';
import { between, chance, exponential } from './forks.ts';
import type { World } from './world.ts';

const lookEveryMs = 20;
/** How often whoever changes the voters is cut off in the middle of that, and within what time. */
const stopShare = 0.3;
const stopWithinMs = 25;

/**
 * A cut that follows the coordinator: whoever coordinates is cut off, and as soon as another one does, the cut moves to
 * it and the first one is back. So machines that hold votes nobody else has seen meet those that voted without them,
 * and one that is no coordinator any more is asked before it knows. It begins at any time, and often when a change of voters
 * does: with the stop-sign on one disk, on some, or on a majority that does not know it yet.
 */
export class Pursuit {
  readonly #world: World;
  readonly #atStopSigns: Random;
  #victim: NodeId | null = null;

  constructor(world: World) {
    this.#world = world;
    this.#atStopSigns = world.forks.named('fault/cut at a stop-sign');
  }

  schedule(): void {
    this.#world.often('pursuit', this.#world.options.network.pursuitEveryMs, (random) => {
      if (this.#victim === null) this.#cutOff(random, 1 + random.below(4));
    });
  }

  /** What a machine does next, before it is done. */
  stepped(effects: readonly NodeEffect[]): void {
    const { queue, quiet, options } = this.#world;
    if (options.network.pursuitEveryMs === 0 || quiet || this.#victim !== null || !effects.some(isStopSign)) return;
    const random = this.#atStopSigns;
    if (!chance(random, stopShare)) return;
    queue.after(between(random, 0, stopWithinMs), () => {
      if (this.#victim === null && !this.#world.quiet) this.#cutOff(random, 1 + random.below(3));
    });
  }

  #cutOff(random: Random, moves: number): void {
    const { network, queue } = this.#world;
    const next = this.#world.nodes.find(({ id, machine }) => machine?.role === 'coordinator' && id !== this.#victim);
    const before = this.#victim;
    if (before !== null) network.plugIn(before);
    this.#victim = moves > 0 ? (next?.id ?? null) : null;
    if (this.#victim === null) return;
    this.#world.line(`${this.#victim} is cut off`);
    network.cutOff(this.#victim);
    // Somebody looks there just when another one takes over.
    queue.after(between(random, 50, 400), () => next?.client?.read());
    this.#pursue(random, moves - 1, queue.now + exponential(random, 4_000));
  }

  #pursue(random: Random, moves: number, until: number): void {
    const { nodes, queue, quiet } = this.#world;
    if (quiet) return;
    const another = nodes.some(({ id, machine }) => machine?.role === 'coordinator' && id !== this.#victim);
    if (another || queue.now > until) {
      // Long enough, now and then, for what the new one proposes to be chosen.
      queue.after(between(random, 0, 400), () => {
        if (!this.#world.quiet) this.#cutOff(random, another ? moves : 0);
      });
      return;
    }
    queue.after(lookEveryMs, () => this.#pursue(random, moves, until));
  }
}

const isStopSign = (effect: NodeEffect): boolean =>
  effect.type === 'send' &&
  effect.message.type === 'accept' &&
  effect.message.entries.some(({ type }) => type === 'stop-sign');
