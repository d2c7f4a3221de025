import type { NodeId } from '../../shared/domain/ids.ts';
import { lowestLevel, supportedLevel } from '../../src-main/core/levels/feature-levels.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import { chance, pick } from './forks.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** How often somebody updates a machine that has told them that it is too old. */
const heedShare = 0.5;

/**
 * Which program each machine runs. In a mixed world the swarm was begun by an older one, and people update their
 * machines one by one: as they restart, at moments of their own, or not before the storm is over; a few go back.
 */
export class Versions {
  readonly #world: World;
  readonly #random: Random;
  readonly #older = new Set<NodeId>();
  /** Said that they were too old. */
  readonly #told = new Set<NodeId>();
  readonly #downgraded = new Set<NodeId>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.forks.named('versions');
  }

  get isMixed(): boolean {
    return this.#world.options.versions.olderShare > 0;
  }

  /** The level that the swarm is founded with. */
  get foundedLevel(): number {
    return this.isMixed ? lowestLevel : supportedLevel;
  }

  supportedBy(node: NodeId): number {
    return this.#older.has(node) ? lowestLevel : supportedLevel;
  }

  /** Whether an older program was put back on this machine, so that it once said more than it now supports. */
  wasDowngraded(node: NodeId): boolean {
    return this.#downgraded.has(node);
  }

  schedule(): void {
    const { olderShare, updateEveryMs, downgradeEveryMs } = this.#world.options.versions;
    if (!this.isMixed) return;
    const { nodes } = this.#world;
    for (const node of nodes) if (chance(this.#random, olderShare)) this.#older.add(node.id);
    this.#world.often('update', updateEveryMs, (random) => this.#install(pick(random, nodes), supportedLevel));
    this.#world.often('downgrade', downgradeEveryMs, (random) => this.#install(pick(random, nodes), lowestLevel));
  }

  /** A machine is about to start. */
  booting(node: SimNode): void {
    if (!this.#older.has(node.id)) return;
    const { quiet, options } = this.#world;
    const heeds = this.#told.has(node.id) && (quiet || chance(this.#random, heedShare));
    if (heeds || chance(this.#random, options.versions.updateShare)) this.#set(node, supportedLevel);
  }

  /** It has stopped, or cannot start, because the swarm or its own disk is beyond its program. */
  isTooOld(node: SimNode): void {
    this.#world.line(`${node.id} is too old for level ${this.#world.levels.level}`);
    this.#told.add(node.id);
    node.stop(false);
    this.#world.restartLater(node);
  }

  /** The storm is over: everybody updates, or in some worlds only who must. */
  heal(): void {
    for (const node of this.#world.nodes) {
      if (!this.#older.has(node.id)) continue;
      if (!this.#world.options.versions.endsMixed) this.#install(node, supportedLevel);
      else if (this.#world.levels.level > lowestLevel) this.#told.add(node.id);
    }
  }

  /** Every machine runs the newest program, so that its level must be reached. */
  get isUniform(): boolean {
    return this.#older.size === 0;
  }

  #install(node: SimNode, level: number): void {
    if (this.supportedBy(node.id) === level || this.#world.isAbandoned(node.id)) return;
    const runs = node.up;
    node.stop(false);
    this.#set(node, level);
    if (runs) this.#world.restartLater(node);
  }

  #set(node: SimNode, level: number): void {
    this.#world.line(`${node.id} gets a program of level ${level}`);
    if (level > lowestLevel) {
      this.#older.delete(node.id);
      this.#told.delete(node.id);
    } else {
      this.#older.add(node.id);
      this.#downgraded.add(node.id);
    }
  }
}
