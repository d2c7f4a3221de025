import type { Random } from '../../src-main/core/machine/random.ts';
import type { KvChange } from '../../src-main/core/kv/records.ts';
import type { Divergences } from './checkers/divergences.ts';
import { between, pick } from './forks.ts';
import type { World } from './world.ts';

/** Until somebody has something that can be altered. */
const retryMs = 2_000;

/**
 * A bit flips in the memory of one machine: something that its replicated state says is not what the log made of it.
 * No checksum of a frame or a record can see that. The machines that compare their states must.
 */
export class Alteration {
  readonly #world: World;
  readonly #divergences: Divergences;
  readonly #random: Random;

  constructor(world: World, divergences: Divergences) {
    this.#world = world;
    this.#divergences = divergences;
    this.#random = world.forks.named('alteration');
  }

  schedule(): void {
    const atMs = between(this.#random, 0.2, 0.4) * this.#world.options.stormMs;
    this.#world.queue.after(atMs, () => this.#alter());
  }

  #alter(): void {
    const able = this.#world.nodes.filter(({ machine }) => machine?.config?.voters.length === 3);
    const run = able.length === 0 ? null : pick(this.#random, able).run;
    const [change] = run?.machine.state.kv.history.page(0, 1) ?? [];
    if (run === null || change === undefined) {
      if (!this.#world.quiet) this.#world.queue.after(retryMs, () => this.#alter());
      return;
    }
    this.#world.line(`${run.node} has its memory altered at slot ${run.machine.committed}`);
    flip(change);
    this.#divergences.altered(run);
  }
}

/** Past the types: nothing that is written in this language alters what is read only. */
function flip(change: KvChange): void {
  const at = change.type === 'put' ? change.entry.at : change.at;
  Reflect.set(change.type === 'put' ? change.entry : change, 'at', at + 1);
}
