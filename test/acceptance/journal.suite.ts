import { describe, expect, it } from 'vitest';
import type { Failure, Result } from '../../shared/domain/failure.ts';
import type { Journal, OpenedJournal } from '../../src-main/ports/journal.ts';

/** One durable place that can be opened again and again; each open must follow the close of the one before. */
export interface JournalBench {
  open(): Promise<Result<OpenedJournal>>;
  /** Lets a simulated disk work; a real one works by itself. */
  pump?(): void;
  dispose(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const texts = (records: readonly Uint8Array[]): readonly string[] =>
  records.map((record) => new TextDecoder().decode(record));

/** The promises of `ports/journal.ts`, asked of any implementation. */
export function journalSuite(name: string, makeBench: () => Promise<JournalBench>): void {
  describe(`${name} keeps the promises of a journal`, () => {
    const withBench = async (body: (bench: JournalBench) => Promise<void>): Promise<void> => {
      const bench = await makeBench();
      try {
        await body(bench);
      } finally {
        await bench.dispose();
      }
    };
    const opened = async (bench: JournalBench): Promise<OpenedJournal> => {
      const result = await bench.open();
      if (!result.ok) throw new Error(result.failure.message);
      return result.value;
    };
    const settle = (bench: JournalBench, start: (done: (failure?: Failure) => void) => void): Promise<void> =>
      new Promise((resolve, reject) => {
        start((failure) => (failure === undefined ? resolve() : reject(new Error(failure.message))));
        bench.pump?.();
      });
    const append = (bench: JournalBench, journal: Journal, values: readonly string[], sync = true): Promise<void> =>
      settle(bench, (done) => journal.append(values.map(text), { sync }, done));

    it('begins empty', () =>
      withBench(async (bench) => {
        const { journal, records, tornBytes } = await opened(bench);
        expect({ records, tornBytes }).toEqual({ records: [], tornBytes: 0 });
        await journal.close();
      }));

    it('returns records in the order they were appended, empty and large ones included', () =>
      withBench(async (bench) => {
        const first = await opened(bench);
        const large = 'x'.repeat(1_000_000);
        await append(bench, first.journal, ['one', '', 'three']);
        await append(bench, first.journal, [large], false);
        await append(bench, first.journal, ['last']);
        expect(first.journal.bytes).toBeGreaterThan(large.length);
        await first.journal.close();
        const second = await opened(bench);
        expect(texts(second.records)).toEqual(['one', '', 'three', large, 'last']);
        await second.journal.close();
      }));

    it('calls back in the order of the calls, and never from within one', () =>
      withBench(async (bench) => {
        const { journal } = await opened(bench);
        const order: number[] = [];
        let within = true;
        const all = Array.from({ length: 50 }, (_, number) =>
          settle(bench, (done) =>
            journal.append([text(String(number))], { sync: number % 3 === 0 }, (failure) => {
              expect(within).toBe(false);
              order.push(number);
              done(failure);
            }),
          ),
        );
        within = false;
        await Promise.all(all);
        expect(order).toEqual(Array.from({ length: 50 }, (_, number) => number));
        await journal.close();
      }));

    it('begins with the new head after a replacement, followed by what was appended since', () =>
      withBench(async (bench) => {
        const { journal } = await opened(bench);
        await append(bench, journal, ['old 1', 'old 2']);
        const before = append(bench, journal, ['old 3']);
        const replaced = settle(bench, (done) => journal.replaceHead([text('head 1'), text('head 2')], done));
        const after = append(bench, journal, ['new 1']);
        await Promise.all([before, replaced, after]);
        await append(bench, journal, ['new 2']);
        await journal.close();
        const again = await opened(bench);
        expect(texts(again.records)).toEqual(['head 1', 'head 2', 'new 1', 'new 2']);
        await again.journal.close();
      }));

    it('carries out what it accepted before it was closed, and takes nothing after', () =>
      withBench(async (bench) => {
        const { journal } = await opened(bench);
        const accepted = append(bench, journal, ['accepted']);
        const closed = journal.close();
        await expect(append(bench, journal, ['late'])).rejects.toThrow();
        await accepted;
        await closed;
        const again = await opened(bench);
        expect(texts(again.records)).toEqual(['accepted']);
        await again.journal.close();
      }));

    it('takes no more records after it was closed', () =>
      withBench(async (bench) => {
        const { journal } = await opened(bench);
        await journal.close();
        await expect(append(bench, journal, ['late'])).rejects.toThrow();
      }));
  });
}
