import type { NodeId } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import { missedAfterMs, type Configurations } from './checkers/configurations.ts';
import { between, chance, exponential, pick } from './forks.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/**
 * What changes who belongs: disks that are wiped or restored from a backup, machines that say goodbye before they
 * sleep or stop, and members that are removed and admitted again. Never more than a quorum of disks can bear.
 */
export class Upheaval {
  readonly #world: World;
  readonly #configurations: Configurations;
  readonly #members: Set<NodeId>;
  /** When each machine lost what its disk held. */
  readonly #lostAt = new Map<NodeId, number>();
  readonly #removedOnce = new Set<NodeId>();

  constructor(world: World, configurations: Configurations, members: Set<NodeId>) {
    this.#world = world;
    this.#configurations = configurations;
    this.#members = members;
  }

  schedule(): void {
    const { wipeEveryMs, restoreEveryMs, departEveryMs, removeEveryMs } = this.#world.options.upheaval;
    this.#world.often('wipe', wipeEveryMs, (random) => this.#lose(pick(random, this.#world.nodes), 'wiped'));
    this.#world.often('backup', restoreEveryMs / 2, (random) => pick(random, this.#world.nodes).backUp());
    this.#world.often('restore', restoreEveryMs, (random) => this.#lose(pick(random, this.#world.nodes), 'restored'));
    this.#world.often('depart', departEveryMs, (random) => this.#depart(random));
    this.#world.often('remove', removeEveryMs, (random) => this.#remove(random));
  }

  /** The storm is over: everybody belongs and nobody is about to go. */
  heal(): void {
    for (const node of this.#world.nodes) if (!this.#members.has(node.id)) this.#admit(node);
    for (const node of this.#world.nodes) node.tell({ type: 'departing', departure: null });
  }

  /** Members that have never been removed. */
  get settledMembers(): readonly NodeId[] {
    return [...this.#members].filter((node) => !this.#removedOnce.has(node));
  }

  /** How many voters may still be left behind for good. */
  get spare(): number {
    return this.#losable().spare;
  }

  #losable(): { voters: ReadonlySet<NodeId>; spare: number } {
    return this.#configurations.losable(
      (node, incarnation) =>
        !this.#members.has(node) || this.#world.nodes.find(({ id }) => id === node)?.incarnation !== incarnation,
    );
  }

  /** Whether a quorum can bear to lose what this machine's disk holds: of the voters, and of those chosen in good faith. */
  mayLose(node: SimNode): boolean {
    const { voters, spare } = this.#losable();
    const missed = [...this.#lostAt].every(([id, at]) => id === node.id || this.#world.queue.now - at > missedAfterMs);
    return missed && (!voters.has(node.id) || spare > 0);
  }

  #lose(node: SimNode, how: 'wiped' | 'restored'): void {
    // Down machines keep what they have: whoever restarts them finds it.
    if (!node.up || !this.#members.has(node.id) || !this.mayLose(node)) return;
    this.#world.line(`${node.id} is ${how}`);
    node.stop(true);
    this.renew(node, how);
    this.#world.restartLater(node);
  }

  /** The state directory of a machine that is down begins anew. */
  renew(node: SimNode, how: 'wiped' | 'restored'): void {
    this.#configurations.lost(node.id, node.incarnation);
    this.#lostAt.set(node.id, this.#world.queue.now);
    node.renewDirectory(how);
  }

  #depart(random: Random): void {
    const node = pick(random, this.#world.nodes);
    if (!node.up || node.clock.asleep) return;
    const sleeps = chance(random, 0.6);
    this.#world.line(`${node.id} is about to ${sleeps ? 'sleep' : 'stop'}`);
    node.tell({ type: 'departing', departure: sleeps ? 'suspend' : 'shutdown' });
    const awayMs = exponential(random, this.#world.options.machine.sleepMs);
    this.#world.queue.after(between(random, 100, 2_500), () => {
      if (this.#world.quiet || !node.up) return;
      if (sleeps) {
        node.clock.sleep(awayMs);
        this.#world.queue.after(awayMs + 1, () => node.tell({ type: 'departing', departure: null }));
      } else {
        node.stop(false);
        this.#world.restartLater(node);
      }
    });
  }

  #remove(random: Random): void {
    const node = pick(random, this.#world.nodes);
    if (!node.up || !this.#members.has(node.id) || !this.mayLose(node) || this.#members.size === 1) return;
    this.#world.line(`${node.id} is removed`);
    this.#members.delete(node.id);
    this.#removedOnce.add(node.id);
    this.#configurations.removed(node.id, node.incarnation);
    this.#tellAll(random);
    // It goes on talking until it hears of it itself.
    this.#world.queue.after(between(random, 500, 6_000), () => {
      if (this.#world.quiet || this.#members.has(node.id)) return;
      node.stop(false);
      this.#world.queue.after(exponential(random, 10_000), () => {
        if (!this.#members.has(node.id)) this.#admit(node);
      });
    });
  }

  /** A machine that was removed comes back as a new one. */
  #admit(node: SimNode): void {
    node.stop(false);
    this.renew(node, 'wiped');
    this.#world.line(`${node.id} is admitted again`);
    this.#members.add(node.id);
    this.#tellAll(this.#world.forks.named(`admit/${node.id}/${node.incarnation}`));
    node.start();
  }

  #tellAll(random: Random): void {
    for (const node of this.#world.nodes) {
      this.#world.queue.after(between(random, 0, 2_000), () => {
        if (this.#members.has(node.id)) node.tell({ type: 'members-changed', members: [...this.#members] });
      });
    }
  }
}
