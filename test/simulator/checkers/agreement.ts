import { canonical } from './canonical.ts';
import type { AgreedEntry, Applied, Broken, Checker, Run } from './checker.ts';

/**
 * P1: no two replicas apply different entries, or get different results, at one slot; and each replica applies every
 * slot once, in order (prefix). Feeds the checkers that look at the one agreed log.
 */
export class Agreement implements Checker {
  readonly name = 'agreement';
  readonly #broken: Broken;
  readonly #onAgreed: (entry: AgreedEntry) => void;
  /** What the first node had at each slot, as text. */
  readonly #texts: string[] = [];
  readonly #log: AgreedEntry[] = [];
  readonly #last = new Map<string, number>();

  constructor(broken: Broken, onAgreed: (entry: AgreedEntry) => void) {
    this.#broken = broken;
    this.#onAgreed = onAgreed;
  }

  /** The agreed log; slot 1 is at index 0. */
  get log(): readonly AgreedEntry[] {
    return this.#log;
  }

  onBoot(run: Run): void {
    this.#last.set(run.node, run.machine.committed);
    if (run.machine.committed > this.#log.length) {
      this.#broken(
        'prefix',
        `${run.node} recovers ${run.machine.committed}, but only ${this.#log.length} slots are agreed`,
      );
    }
  }

  onStep(run: Run, _input: unknown, effects: Parameters<NonNullable<Checker['onStep']>>[2]): void {
    for (const effect of effects) {
      if (effect.type === 'emit' && effect.event.type === 'state-replaced') this.#last.set(run.node, effect.event.slot);
    }
  }

  onApplied(run: Run, applied: Applied): void {
    const expected = (this.#last.get(run.node) ?? 0) + 1;
    if (applied.slot !== expected) this.#broken('prefix', `${run.node} applies slot ${applied.slot}, not ${expected}`);
    this.#last.set(run.node, applied.slot);
    const text = JSON.stringify([applied.request, applied.result, applied.events]);
    const known = this.#texts[applied.slot - 1];
    if (known === undefined) this.#agree(run, applied, text);
    else if (known !== text && canonical(JSON.parse(known)) !== canonical(JSON.parse(text)))
      this.#broken('agreement', `slot ${applied.slot}: ${run.node} has ${text}, others ${known}`);
  }

  #agree(run: Run, { slot, request, result, events }: Applied, text: string): void {
    if (slot !== this.#texts.length + 1) {
      this.#broken('prefix', `${run.node} applies slot ${slot}, but slot ${this.#texts.length + 1} was never applied`);
      return;
    }
    const entry = { slot, request, result, events };
    this.#texts.push(text);
    this.#log.push(entry);
    this.#onAgreed(entry);
  }
}
