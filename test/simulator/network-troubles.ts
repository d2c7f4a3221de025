import type { Random } from '../../src-main/core/machine/random.ts';
import { chance, exponential, pick } from './forks.ts';
import { Pursuit } from './pursuit.ts';
import type { World } from './world.ts';

/** Cuts between machines, both ways and one way, cables that are pulled, connections that break. */
export class NetworkTroubles {
  readonly #world: World;
  readonly pursuit: Pursuit;

  constructor(world: World) {
    this.#world = world;
    this.pursuit = new Pursuit(world);
  }

  schedule(): void {
    const { nodes, network } = this.#world;
    const { partitionEveryMs, unplugEveryMs, flapEveryMs } = this.#world.options.network;
    this.#world.often('partition', partitionEveryMs, (random) => this.#partition(random));
    this.#world.often('unplug', unplugEveryMs, (random) => this.#unplug(random));
    this.#world.often('flap', flapEveryMs, (random) => {
      const [left, right] = [pick(random, nodes), pick(random, nodes)];
      if (left !== right) network.drop(left.id, right.id);
    });
    this.pursuit.schedule();
  }

  #partition(random: Random): void {
    const { nodes, network, queue, options } = this.#world;
    const first = nodes.filter(() => chance(random, 0.5)).map((node) => node.id);
    const second = nodes.map((node) => node.id).filter((id) => !first.includes(id));
    const oneWay = chance(random, options.network.oneWayShare);
    this.#world.line(`partition ${first.join(',')} ${oneWay ? '->' : '<->'} ${second.join(',')}`);
    network.partition(first, second, oneWay);
    queue.after(exponential(random, 8_000), () => {
      if (this.#world.quiet) return;
      this.#world.line('partition heals');
      network.heal();
    });
  }

  #unplug(random: Random): void {
    const { nodes, network, queue } = this.#world;
    const { id } = pick(random, nodes);
    this.#world.line(`${id} is unplugged`);
    network.unplug(id);
    queue.after(exponential(random, 3_000), () => {
      if (!this.#world.quiet) network.plugIn(id);
    });
  }
}
