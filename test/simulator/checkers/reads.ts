import type { Result } from '../../../shared/domain/failure.ts';
import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { Broken, Checker } from './checker.ts';

/**
 * P5, the witness way: what a linearizable read sees must include every entry that took effect anywhere before the
 * read began; what was acknowledged or seen by an earlier read is among them. Slots give the order, so nothing is searched.
 */
export class Reads implements Checker {
  readonly name = 'reads';
  readonly #broken: Broken;
  #answered = 0;

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  get answered(): number {
    return this.#answered;
  }

  /** `floor`: the last slot that took effect anywhere by now. Answers what to call when the read ends. */
  began(node: NodeId, floor: number): (result: Result<Slot>, stateSlot: Slot) => void {
    return (result, stateSlot) => {
      if (!result.ok) return;
      this.#answered += 1;
      if (result.value >= floor && stateSlot >= result.value) return;
      this.#broken(
        'linearizable reads',
        `${node} was told slot ${result.value} and read its state at ${stateSlot}; slot ${floor} took effect before it asked`,
      );
    };
  }
}
