import type { Operation } from './history.ts';
import { modelOf, type SequentialModel } from './models.ts';
import { EntryList, Placed } from './search-state.ts';

export type Verdict = 'ok' | 'violation' | 'unknown';

export interface Judgement {
  readonly verdict: Verdict;
  readonly operations: number;
  /** Distinct configurations visited, over all keys: the price. */
  readonly configurations: number;
  /** For a violation, where the search got stuck; for unknown, which bound was met. */
  readonly detail: string;
}

export interface SearchBounds {
  /** For one key. */
  readonly withinMs?: number;
  /** Remembered configurations for one key; each takes about 100 bytes. */
  readonly configurationsMax?: number;
  /** Where the history begins, when it is a window of a longer one. */
  readonly from?: string;
}

const defaultWithinMs = 20_000;
const defaultConfigurationsMax = 3_000_000;
/** The clock is read once in this many steps. */
const stepsPerLook = 4_096;

/**
 * Is there an order of the operations that respects real time and that the sequential model could have produced?
 * Depth-first search of Wing and Gong (JPDC 1993), with visited configurations remembered as in Lowe (CCPE 2017),
 * section 3, for each key by itself: a history is linearizable exactly if its keys are (P-compositionality, Horn and
 * Kroening, FORTE 2015, section 3). Kinds without a model are passed over.
 */
export function checkLinearizability(operations: readonly Operation[], bounds: SearchBounds = {}): Judgement {
  const parts = new Map<string, { model: SequentialModel; operations: Operation[] }>();
  for (const operation of operations) {
    const model = modelOf(operation.kind);
    if (model === null) continue;
    const name = `${model.name}/${operation.key}`;
    const part = parts.get(name) ?? { model, operations: [] };
    parts.set(name, part);
    part.operations.push(operation);
  }
  let [judged, configurations] = [0, 0];
  let worst: { verdict: Verdict; detail: string } = { verdict: 'ok', detail: '' };
  for (const [name, part] of parts) {
    const judgement = checkOne(part.model, part.operations, bounds);
    judged += part.operations.length;
    configurations += judgement.configurations;
    const { verdict } = judgement;
    if (verdict === 'ok' || worst.verdict === 'violation') continue;
    if (verdict === 'violation' || worst.verdict === 'ok') worst = { verdict, detail: `${name}: ${judgement.detail}` };
  }
  return { ...worst, operations: judged, configurations };
}

function checkOne(model: SequentialModel, operations: readonly Operation[], bounds: SearchBounds): Judgement {
  // A read of which nobody learned anything, like any operation that cannot change anything, constrains nothing.
  const relevant = operations.filter((operation) => operation.end !== null || !model.isRead(operation));
  return new Search(model, relevant, bounds).run();
}

interface Choice {
  readonly operation: number;
  readonly before: string;
  /** It only looked. Whatever can follow without it can follow with it, so it is never taken back alone. */
  readonly free: boolean;
}

class Search {
  readonly #model: SequentialModel;
  readonly #list: EntryList;
  readonly #placed: Placed;
  readonly #bounds: Required<SearchBounds>;
  readonly #seen = new Set<string>();
  readonly #chosen: Choice[] = [];
  #state: string;
  #deepest = { placed: -1, stuckAt: '' };

  constructor(model: SequentialModel, operations: readonly Operation[], bounds: SearchBounds) {
    this.#model = model;
    this.#list = new EntryList(operations);
    this.#placed = new Placed(this.#list.operations, (operation) => model.rank(operation));
    this.#bounds = {
      withinMs: defaultWithinMs,
      configurationsMax: defaultConfigurationsMax,
      from: model.initial,
      ...bounds,
    };
    this.#state = this.#bounds.from;
  }

  run(): Judgement {
    const deadline = performance.now() + this.#bounds.withinMs;
    let entry = this.#list.first;
    for (let step = 0; this.#placed.requiredLeft > 0; step++) {
      if (this.#seen.size > this.#bounds.configurationsMax)
        return this.#judge('unknown', `more than ${this.#bounds.configurationsMax} configurations`);
      if (step % stepsPerLook === stepsPerLook - 1 && performance.now() > deadline)
        return this.#judge('unknown', `not decided within ${this.#bounds.withinMs} ms`);
      if (this.#list.isCall(entry)) {
        entry = this.#place(entry) ? this.#list.first : this.#list.after(entry);
        continue;
      }
      this.#noteStuck(entry);
      const last = this.#takeBack();
      if (last === null) return this.#judge('violation', this.#deepest.stuckAt);
      entry = this.#list.after(last.operation);
    }
    return this.#judge('ok', '');
  }

  /** Undoes choices up to the latest one that had alternatives; null when there is none. */
  #takeBack(): Choice | null {
    for (let last = this.#chosen.pop(); last !== undefined; last = this.#chosen.pop()) {
      this.#state = last.before;
      this.#placed.remove(last.operation);
      this.#list.putBack(last.operation);
      if (!last.free) return last;
    }
    return null;
  }

  /** Puts the operation next in the order, if it fits and leads to a configuration not seen before. */
  #place(index: number): boolean {
    const operation = this.#list.operation(index);
    const next = this.#model.step(this.#state, operation);
    if (next === null) return false;
    // An operation that nobody was answered and that changes nothing here may as well never have happened.
    if (operation.end === null && next === this.#state) return false;
    const rank = this.#model.rank(operation);
    if (rank !== null && this.#placed.misses(rank)) return false;
    this.#placed.add(index);
    const configuration = `${this.#placed.text()}${next}`;
    if (this.#seen.has(configuration)) {
      this.#placed.remove(index);
      return false;
    }
    this.#seen.add(configuration);
    const free = next === this.#state && this.#model.isRead(operation);
    this.#chosen.push({ operation: index, before: this.#state, free });
    this.#state = next;
    this.#list.takeOut(index);
    return true;
  }

  #noteStuck(entry: number): void {
    if (this.#chosen.length <= this.#deepest.placed) return;
    const blocked = this.#list.operationOfReturn(entry);
    const what = blocked === null ? 'the end' : JSON.stringify(blocked);
    this.#deepest = {
      placed: this.#chosen.length,
      stuckAt: `after ${this.#chosen.length} operations, in state ${this.#state.slice(0, 200)}, nothing explains ${what.slice(0, 400)}`,
    };
  }

  #judge(verdict: Verdict, detail: string): Judgement {
    return { verdict, detail, operations: this.#list.operations.length, configurations: this.#seen.size };
  }
}
