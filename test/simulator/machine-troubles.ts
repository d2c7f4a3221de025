import type { Random } from '../../src-main/core/machine/random.ts';
import { clockJumpMs, clockTickMs } from '../../src-main/runtime/clock-watch.ts';
import { between, chance, exponential, pick } from './forks.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

const hourMs = 3_600_000;

/** A step of a clock that counts as no jump. */
const unnoticedMs = 0.95 * clockJumpMs;

/** Machines that crash, fall asleep, have their clocks set, or are told to hand over. */
export class MachineTroubles {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  schedule(): void {
    const { machine } = this.#world.options;
    const { nodes } = this.#world;
    this.#world.often('crash', machine.crashEveryMs, (random) => this.#crash(pick(random, nodes), chance(random, 0.5)));
    this.#world.often('outage', machine.outageEveryMs, (random) => {
      for (const node of nodes) if (chance(random, 0.6)) this.#crash(node, chance(random, 0.5));
    });
    this.#world.often('sleep', machine.sleepEveryMs, (random) => this.#sleep(pick(random, nodes), random));
    this.#world.often('jump', machine.jumpEveryMs, (random) => this.#jump(pick(random, nodes), random));
    this.#world.often('hour', machine.hourEveryMs, () => {
      this.#world.turnCalendars(hourMs);
    });
    this.#world.often('misled', machine.misledEveryMs, (random) => this.#mislead(random));
    this.#world.often('hand-over', machine.handOverEveryMs, (random) => this.#handOver(random));
  }

  #crash(node: SimNode, powerLost: boolean): void {
    if (!node.up) return;
    node.stop(powerLost);
    this.#world.restartLater(node);
  }

  #sleep(node: SimNode, random: Random): void {
    if (!node.up || node.clock.asleep) return;
    const forMs = exponential(random, this.#world.options.machine.sleepMs);
    this.#world.line(`${node.id} sleeps for ${forMs.toFixed(0)} ms`);
    node.clock.sleep(forMs);
  }

  #jump(node: SimNode, random: Random): void {
    const byMs = (random.next() * 2 - 1) * (chance(random, 0.5) ? unnoticedMs : 3_600_000);
    this.#world.line(`${node.id} has its clock set by ${byMs.toFixed(0)} ms`);
    node.clock.jump(byMs);
  }

  /** All clocks follow the same time server, which goes wrong in steps that nobody notices. */
  #mislead(random: Random): void {
    const byMs = (chance(random, 0.8) ? 1 : -1) * between(random, 0.5, 1) * unnoticedMs;
    const steps = 1 + random.below(40);
    this.#world.line(`all clocks are set by ${byMs.toFixed(0)} ms, ${steps} times`);
    for (let step = 0; step < steps; step++) {
      this.#world.queue.after((clockTickMs + 100) * step, () => {
        for (const { clock } of this.#world.nodes) clock.jump(byMs);
      });
    }
  }

  #handOver(random: Random): void {
    const to = chance(random, 0.5) ? null : pick(random, this.#world.nodes).id;
    for (const node of this.#world.nodes) {
      if (node.machine?.role === 'coordinator' && !node.clock.asleep)
        node.input({ type: 'hand-over', to, reason: 'the owner asks for it' });
    }
  }
}
