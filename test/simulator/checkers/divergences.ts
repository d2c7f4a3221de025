import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
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
  /** Where the state of a machine was altered from outside, and where it was found. */
  #alteration: { readonly node: NodeId; readonly slot: Slot; foundAt: Slot | null } | null = null;

  /** Machines that may have what was altered. */
  readonly #tainted = new Set<NodeId>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  /** The state of this run is not what its log says any more. */
  altered(run: Run): void {
    this.#tainted.add(run.node);
    this.#alteration = { node: run.node, slot: run.machine.committed, foundAt: null };
  }

  /** How many entries after the alteration it was found: null when it was not, undefined when nothing was altered. */
  get foundAfter(): number | null | undefined {
    const alteration = this.#alteration;
    return alteration === null ? undefined : alteration.foundAt === null ? null : alteration.foundAt - alteration.slot;
  }

  onStep(run: Run, input: NodeInput, effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'emit') continue;
      if (effect.event.type === 'state-replaced' && input.type === 'received') this.#inherit(run.node, input.from);
      if (effect.event.type !== 'diverged') continue;
      const { node, slot, which, settled } = effect.event.divergence;
      if (this.#tainted.has(node)) {
        if (this.#alteration?.node === run.node && node === run.node && settled) this.#alteration.foundAt ??= slot;
      } else if (settled || this.#alteration === null)
        this.#broken('false divergence', `${run.node} says that ${node} has another ${which} at slot ${slot}`);
    }
    const { checkpoint } = run.machine;
    if (checkpoint === null || this.#latest.get(run) === checkpoint) return;
    this.#latest.set(run, checkpoint);
    if (!this.#tainted.has(run.node)) this.#compare(run, checkpoint);
  }

  /** Whoever takes over a snapshot has what its sender had, for better or worse. */
  #inherit(node: NodeId, from: NodeId): void {
    if (this.#tainted.has(from)) this.#tainted.add(node);
    else this.#tainted.delete(node);
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
}
