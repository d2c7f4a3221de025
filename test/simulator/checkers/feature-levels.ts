import type { NodeId } from '../../../shared/domain/ids.ts';
import { lowestLevel } from '../../../src-main/core/levels/feature-levels.ts';
import { isOfLevel2 } from '../older-program.ts';
import type { AgreedEntry, Applied, Broken, Checker, Run } from './checker.ts';

export interface MixedWorld {
  /** Members that have been so from the beginning: whoever is admitted anew may not be known to the coordinator yet. */
  readonly settledMembers: () => readonly NodeId[];
  /** What each machine's program supports now; a machine that was downgraded has said more than that. */
  readonly supportedBy: (node: NodeId) => number;
  readonly wasDowngraded: (node: NodeId) => boolean;
}

/**
 * U1: what a feature level brought is in no log before that level is; the level never falls; it is reached only once
 * every member has said that it supports it; and a machine whose program does not support it goes no further.
 */
export class FeatureLevels implements Checker {
  readonly name = 'feature levels';
  readonly #broken: Broken;
  readonly #world: MixedWorld;
  readonly #said = new Map<NodeId, number>();
  /** The level that each run had last. */
  readonly #seen = new WeakMap<Run, number>();
  /** Requests of which somebody was told that they came too early. */
  readonly #refused = new Set<string>();
  #level: number;

  constructor(broken: Broken, foundedLevel: number, world: MixedWorld) {
    this.#broken = broken;
    this.#level = foundedLevel;
    this.#world = world;
  }

  /** As the agreed log has it. */
  get level(): number {
    return this.#level;
  }

  refused(client: string, sequence: number): void {
    this.#refused.add(`${client}/${sequence}`);
  }

  onAgreed({ slot, request, result, events }: AgreedEntry): void {
    if (request === null) return;
    const { command } = request;
    if (command.type === 'session-opened' && result.type === 'done')
      this.#said.set(command.node, command.program?.supports ?? lowestLevel);
    for (const event of events) if (event.type === 'level-raised') this.#raised(slot, event.level);
    if (!isOfLevel2(command)) return;
    if (this.#level < 2)
      this.#broken('gated entry', `slot ${slot} holds what level 2 brought, at level ${this.#level}`);
    if (this.#refused.has(`${request.client}/${request.sequence}`))
      this.#broken('gated entry', `slot ${slot} holds a request whose client was told that it came too early`);
  }

  #raised(slot: number, level: number): void {
    if (level <= this.#level) this.#broken('level falls', `from ${this.#level} to ${level} at slot ${slot}`);
    this.#level = level;
    for (const node of this.#world.settledMembers()) {
      const said = this.#said.get(node) ?? 0;
      if (said < level) this.#broken('level too high', `${level} at slot ${slot}, but ${node} has said ${said}`);
      const supports = this.#world.supportedBy(node);
      if (supports < level && !this.#world.wasDowngraded(node))
        this.#broken('level too high', `${level} at slot ${slot}, but ${node} supports ${supports}`);
    }
  }

  onStep(run: Run): void {
    const { level } = run.machine.state.levels;
    const before = this.#seen.get(run) ?? 0;
    if (level < before) this.#broken('level falls', `from ${before} to ${level} at ${run.node}`);
    this.#seen.set(run, level);
    if (level > run.supports && run.machine.outdated === null)
      this.#broken('goes on too old', `${run.node} supports ${run.supports} and takes part at level ${level}`);
  }

  onApplied(run: Run, { slot, request }: Applied): void {
    if (request !== null && run.supports < 2 && isOfLevel2(request.command))
      this.#broken('gated entry', `${run.node} applies slot ${slot} with a program of level ${run.supports}`);
  }
}
