import type { SkeinClient } from '../../shared/contract/client.ts';
import { failureOf } from '../../shared/contract/client.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { withoutAnsi } from '../format/ansi.ts';
import { waitFor } from './live-view.svelte.ts';

export interface OutputSource {
  readonly selector: string;
  readonly attempt: number | undefined;
  readonly stream: 'stdout' | 'stderr';
}

type ReadLog = SkeinClient['tasks']['readLog'];

/** More lines than this are not kept in the window; the first ones give way, and the view says how many. */
export const linesMax = 200_000;
const chunkBytes = 262_144;
const waitMs = 10_000;
const retryMs = 2_000;

/** One output stream of one attempt, read from its first byte on and then followed until it ends. */
export class TaskOutput {
  lines = $state.raw<readonly string[]>([]);
  totalBytes = $state(0);
  missingBytes = $state(0);
  /** Bytes the program wrote past what is kept, once it has ended. */
  pastLimitBytes = $state(0);
  droppedLines = $state(0);
  ended = $state(false);
  started = $state(false);
  source = $state<'worker' | 'tail' | 'none'>('none');
  failure = $state.raw<Failure | null>(null);
  #abort: AbortController | null = null;
  /** The last line so far without its end; it is shown, and replaced when more of it comes. */
  #open = '';

  async follow(readLog: ReadLog, source: OutputSource): Promise<void> {
    this.stop();
    this.#reset();
    const abort = new AbortController();
    this.#abort = abort;
    let offset = 0;
    while (!abort.signal.aborted && !this.ended) {
      try {
        const chunk = await readLog(
          {
            selector: source.selector,
            attempt: source.attempt,
            stream: source.stream,
            offset,
            bytesMax: chunkBytes,
            waitMs: this.started ? waitMs : 0,
          },
          { signal: abort.signal },
        );
        if (abort.signal.aborted) return;
        this.#append(chunk.text);
        this.totalBytes = chunk.totalBytes;
        this.missingBytes += chunk.missingBytes;
        this.pastLimitBytes = chunk.droppedBytes;
        this.source = chunk.source;
        this.started = true;
        this.failure = null;
        this.ended = chunk.ended && chunk.nextOffset >= chunk.totalBytes;
        // A side that answers at once with nothing must not be asked in a tight loop.
        if (chunk.nextOffset === offset && !this.ended) await waitFor(250, abort.signal);
        offset = chunk.nextOffset;
      } catch (error) {
        if (abort.signal.aborted) return;
        this.failure = failureOf(error);
        await waitFor(retryMs, abort.signal);
      }
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  #reset(): void {
    this.lines = [];
    this.#open = '';
    this.totalBytes = 0;
    this.missingBytes = 0;
    this.pastLimitBytes = 0;
    this.droppedLines = 0;
    this.ended = false;
    this.started = false;
    this.source = 'none';
    this.failure = null;
  }

  #append(text: string): void {
    if (text === '') return;
    const finished = this.#open === '' ? this.lines : this.lines.slice(0, -1);
    const parts = (this.#open + text).split('\n');
    this.#open = parts.at(-1) ?? '';
    if (this.#open === '') parts.pop();
    // A carriage return redraws its line on a terminal: what stood before it is not what a person saw last.
    const fresh = parts.map((line) => line.replace(/\r$/, '').replace(/^.*\r/, ''));
    const lines = finished.concat(fresh);
    const surplus = Math.max(0, lines.length - linesMax);
    this.droppedLines += surplus;
    this.lines = surplus === 0 ? lines : lines.slice(surplus);
  }
}

/** Indexes of the lines that hold the text, whatever its case; none for an empty text. */
export function findLines(lines: readonly string[], text: string): readonly number[] {
  if (text === '') return [];
  const wanted = text.toLowerCase();
  const found: number[] = [];
  lines.forEach((line, index) => {
    if (withoutAnsi(line).toLowerCase().includes(wanted)) found.push(index);
  });
  return found;
}
