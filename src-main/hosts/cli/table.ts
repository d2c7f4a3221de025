import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './style.ts';

export interface TableOptions {
  readonly paint: Paint;
  readonly headers: boolean;
  /** Width of the terminal; null where lines may be of any length. */
  readonly columns: number | null;
}

/** Lines of a table. Cells are never cut, except the last one of a row, to the width of a terminal. */
export function tableLines(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const all = options.headers ? [headers.map((header) => options.paint('quiet', header)), ...rows] : rows;
  const widths = headers.map((_header, column) => Math.max(0, ...all.map((row) => widthOf(row[column] ?? ''))));
  return all.map((row) => {
    const padded = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)),
    );
    return fit(padded, options.columns).join('  ').trimEnd();
  });
}

function fit(cells: readonly string[], columns: number | null): readonly string[] {
  const last = cells.at(-1);
  if (columns === null || last === undefined) return cells;
  const before = cells.slice(0, -1);
  const room = columns - before.reduce((sum, cell) => sum + widthOf(cell) + 2, 0);
  const bare = stripVTControlCharacters(last);
  if (widthOf(last) <= room || room < 8) return cells;
  return [...before, `${bare.slice(0, room - 1)}…`];
}

/** Columns a text takes. Good enough for names and paths: counts characters, not their display width. */
const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;
