import type { Random } from '../../src-main/core/machine/random.ts';
import { chance, exponential, pick } from './forks.ts';
import type { SimNode } from './sim-node.ts';
import type { Upheaval } from './upheaval.ts';
import type { World } from './world.ts';

/**
 * Disks that rot, fail a sync, or are full. A journal that cannot be trusted makes its machine another voter without a
 * past, as long as a quorum of disks stays whole; a full disk makes it resign, or halt until there is room.
 */
export class DiskTroubles {
  readonly #world: World;
  readonly #upheaval: Upheaval;
  /** Machines that have given up their reserve. */
  readonly #low = new Set<SimNode>();

  constructor(world: World, upheaval: Upheaval) {
    this.#world = world;
    this.#upheaval = upheaval;
  }

  schedule(): void {
    const { slowEveryMs, failEveryMs, rotEveryMs, fullEveryMs } = this.#world.options.disk;
    const { nodes } = this.#world;
    this.#world.often('slow disk', slowEveryMs, (random) => pick(random, nodes).disk.slow(exponential(random, 4_000)));
    this.#world.often('failing disk', failEveryMs, (random) => pick(random, nodes).disk.failOnce());
    this.#world.often('rotten disk', rotEveryMs, (random) => this.#rot(pick(random, nodes), random));
    this.#world.often('full disk', fullEveryMs, (random) => this.#fill(pick(random, nodes), random));
  }

  /** Every disk has room again. */
  heal(): void {
    for (const node of this.#world.nodes) this.#empty(node);
  }

  /** Told when a machine has started: what is the matter with its disk still is. */
  started(node: SimNode): void {
    if (this.#low.has(node)) this.#tellFull(node);
  }

  /** The disk refused a sync. Answers whether the machine comes back as another voter, trusting nothing it has. */
  failed(node: SimNode): boolean {
    // The only copy of the log goes on from what its disk still says.
    if (!this.#upheaval.mayLose(node)) return false;
    this.#upheaval.renew(node, 'wiped');
    return true;
  }

  /** Power goes, and a bit is found changed when it is back. */
  #rot(node: SimNode, random: Random): void {
    if (!node.up || !this.#upheaval.mayLose(node)) return;
    this.#world.line(`the disk of ${node.id} rots`);
    node.stop(true);
    node.disk.rot(random);
    if (node.disk.isDamaged) this.#upheaval.renew(node, 'wiped');
    this.#world.restartLater(node);
  }

  #fill(node: SimNode, random: Random): void {
    const forMs = exponential(random, 10_000);
    const whole = chance(random, 0.4);
    this.#world.line(`the disk of ${node.id} is ${whole ? 'full' : 'low'} for ${forMs.toFixed(0)} ms`);
    if (whole) node.disk.full = true;
    this.#low.add(node);
    this.#tellFull(node);
    this.#world.queue.after(forMs, () => this.#empty(node));
  }

  /** S4: whoever coordinates stops at once. */
  #tellFull(node: SimNode): void {
    node.tell({ type: 'disk-full' });
    if (node.machine?.role === 'coordinator')
      this.#world.broken('resigning', `${node.id} coordinates although its disk is full`);
  }

  #empty(node: SimNode): void {
    node.disk.full = false;
    if (this.#low.delete(node)) node.tell({ type: 'disk-ready' });
  }
}
