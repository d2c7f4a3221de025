import type { NodeId } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { EpochChanges } from './checkers/epochs.ts';
import { between, chance, pick } from './forks.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** Between one attempt to open the epoch and the next: whoever should open it may have crashed meanwhile. */
const retryMs = 3_000;

interface Decision {
  readonly epoch: number;
  readonly opener: SimNode;
  readonly survivors: readonly SimNode[];
}

/**
 * The person who recovers a swarm: in the middle of the storm some machines are given up, crashed or merely cut
 * off and still running, and the others open a new epoch. When the storm ends all come back.
 */
export class Drill {
  readonly #world: World;
  readonly #epochs: EpochChanges;
  readonly #random: Random;
  readonly #givenUp = new Set<NodeId>();

  constructor(world: World, epochs: EpochChanges) {
    this.#world = world;
    this.#epochs = epochs;
    this.#random = world.forks.named('drill');
  }

  schedule(): void {
    const { stormMs } = this.#world.options;
    this.#world.queue.after(between(this.#random, 0.3, 0.5) * stormMs, () => this.#giveUp());
    // Some swarms are recovered twice.
    if (chance(this.#random, 0.3))
      this.#world.queue.after(between(this.#random, 0.7, 0.8) * stormMs, () => this.#giveUp());
  }

  isGivenUp(node: NodeId): boolean {
    return this.#givenUp.has(node);
  }

  heal(): void {
    this.#givenUp.clear();
  }

  #giveUp(): void {
    const nodes = this.#world.nodes.filter((node) => !this.#givenUp.has(node.id));
    const lost = nodes.filter(() => chance(this.#random, 0.6));
    const survivors = nodes.filter((node) => !lost.includes(node));
    const opener = survivors.find((node) => (node.machine?.config ?? null) !== null);
    if (opener === undefined) return;
    const cutOff = chance(this.#random, 0.4);
    this.#world.line(`${lost.map(({ id }) => id).join()} given up${cutOff ? ', but they still run' : ''}`);
    if (cutOff)
      this.#world.network.partition(
        survivors.map(({ id }) => id),
        lost.map(({ id }) => id),
        false,
      );
    for (const node of lost) {
      this.#givenUp.add(node.id);
      if (!cutOff && node.up) node.stop(true);
    }
    const known = survivors.map((node) => node.machine?.advance.epochPromised ?? 0);
    this.#try({ epoch: 1 + Math.max(...known), opener, survivors });
  }

  /** Everyone who is there is asked; a person who finds the epoch not open asks again. */
  #try(decision: Decision): void {
    const { epoch, opener, survivors } = decision;
    if (this.#world.quiet || this.#epochs.highest >= epoch) return;
    const asked = survivors.filter((node) => node.up);
    if (opener.up && opener.incarnation !== '') {
      this.#world.line(`${opener.id} is to open epoch ${epoch} with ${asked.map(({ id }) => id).join()}`);
      const voters = this.#voters(opener, asked);
      for (const node of asked) node.tell({ type: 'promise-epoch', epoch, to: opener.id });
      opener.tell({ type: 'open-epoch', epoch, voters, from: asked.map(({ id }) => id) });
    }
    this.#world.queue.after(retryMs, () => this.#try(decision));
  }

  #voters(opener: SimNode, asked: readonly SimNode[]) {
    const others = asked.filter((node) => node !== opener);
    const chosen = others.length >= 2 && chance(this.#random, 0.5) ? others.slice(0, 2) : [];
    return [opener, ...chosen].map(({ id, incarnation }) => ({
      node: id,
      incarnation,
      rank: pick(this.#random, [50, 100]),
    }));
  }
}
