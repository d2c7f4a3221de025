import type { Operation } from '../../test/checkers/history.ts';
import type { Effect, Tenure } from '../../test/checkers/fencing.ts';

const linesMax = 200_000;

/** Everything a run saw: its timeline, what clients did and were told, and what turned out to be wrong. */
export class Story {
  readonly operations: Operation[] = [];
  readonly tenures: Tenure[] = [];
  readonly effects: Effect[] = [];
  readonly violations: string[] = [];
  readonly lines: string[] = [];
  readonly faults = new Map<string, number>();
  readonly #began = performance.now();
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Milliseconds since the run began, on the one clock of the run. */
  get now(): number {
    return performance.now() - this.#began;
  }

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }

  tell(line: string): void {
    if (this.lines.length < linesMax) this.lines.push(`${(this.now / 1_000).toFixed(3).padStart(9)} ${line}`);
  }

  say(line: string): void {
    this.tell(line);
    this.#print(line);
  }

  fault(kind: string, what: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    this.tell(`FAULT ${kind}: ${what}`);
  }

  violation(what: string): void {
    this.violations.push(what);
    this.tell(`VIOLATION ${what}`);
    if (this.violations.length <= 20) this.#print(`VIOLATION ${what}`);
  }
}
