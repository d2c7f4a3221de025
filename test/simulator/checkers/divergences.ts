import type { NodeId } from '../../../shared/domain/ids.ts';
import { differenceOf, type Checkpoint } from '../../../src-main/core/node/checkpoints.ts';
import type { NodeInput } from '../../../src-main/core/node/messages.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import type { Broken, Checker, Run } from './checker.ts';

/**
 * Replica comparison: whenever a machine comes to a slot at which states are compared, its log and its state are those
 * of every other machine that came there; and no machine takes another, or itself, for damaged that is not.
 */
export class Divergences implements Checker {
  readonly name = 'divergences';
  readonly #broken: Broken;
  readonly #known = new Map<string, { readonly node: NodeId; readonly checkpoint: Checkpoint }>();
  /** The latest of each run, to be looked at once. */
  readonly #latest = new WeakMap<Run, Checkpoint>();
  /** Runs whose state was altered from outside, and what became of that. */
  readonly #altered = new Map<Run, 'unseen' | 'found'>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  /** The state of this run is not what its log says any more. */
  altered(run: Run): void {
    this.#altered.set(run, 'unseen');
  }

  get foundCount(): number {
    return [...this.#altered.values()].filter((fate) => fate === 'found').length;
  }

  onStep(run: Run, _input: NodeInput, effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'emit' || effect.event.type !== 'diverged') continue;
      const { node, slot, which, settled } = effect.event.divergence;
      if (this.#isAltered(node)) {
        if (node === run.node && settled) this.#altered.set(run, 'found');
      } else this.#broken('false divergence', `${run.node} says that ${node} has another ${which} at slot ${slot}`);
    }
    const { checkpoint } = run.machine;
    if (checkpoint === null || this.#latest.get(run) === checkpoint) return;
    this.#latest.set(run, checkpoint);
    if (!this.#isAltered(run.node)) this.#compare(run, checkpoint);
  }

  #compare(run: Run, checkpoint: Checkpoint): void {
    const { slot, chain, epoch } = checkpoint;
    const key = `${epoch}/${slot}/${chain.origin}`;
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { node: run.node, checkpoint });
      return;
    }
    const which = differenceOf(known.checkpoint, checkpoint);
    if (which === null) return;
    this.#broken(
      'replica comparison',
      `${run.node} has another ${which} at slot ${slot} than ${known.node}: ${JSON.stringify([checkpoint, known.checkpoint])}`,
    );
  }

  #isAltered(node: NodeId): boolean {
    return [...this.#altered.keys()].some((run) => run.node === node);
  }
}
