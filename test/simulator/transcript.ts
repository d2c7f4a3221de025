import { fnv1a } from './forks.ts';

/** Lines kept for printing when a seed fails. */
const linesKeptMax = 400;

/** One line per event; a hash of all of them stands for the run. */
export class Transcript {
  readonly #print: boolean;
  #hash = 0x811c9dc5;
  #second = 0x9747b28c;
  #lines: string[] = [];
  #count = 0;

  constructor(print: boolean) {
    this.#print = print;
  }

  line(now: number, text: string): void {
    const line = `${now.toFixed(3)} ${text}`;
    this.#hash = fnv1a(line, this.#hash);
    this.#second = fnv1a(line, Math.imul(this.#second ^ this.#hash, 0x5bd1e995));
    this.#count += 1;
    if (this.#print) console.log(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * linesKeptMax) this.#lines = this.#lines.slice(-linesKeptMax);
  }

  get count(): number {
    return this.#count;
  }

  get hash(): string {
    return [this.#hash, this.#second].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** The last lines, for a person who looks at a failure. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }
}
