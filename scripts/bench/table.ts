/** Rows of the comparison, as text for people. */
export interface Line {
  readonly work: string;
  /** By contestant; absent where it was not measured. */
  readonly values: Readonly<Record<string, string>>;
  readonly ratio: string;
  readonly aim: string;
  /** Null where nothing can be said: a rival is missing, or the row was not run. */
  readonly reached: boolean | null;
}

export function renderTable(contestants: readonly string[], lines: readonly Line[]): string {
  const head = ['work', ...contestants, 'ratio', 'aim', ''];
  const body = lines.map((line) => [
    line.work,
    ...contestants.map((name) => line.values[name] ?? '-'),
    line.ratio,
    line.aim,
    line.reached === null ? '?' : line.reached ? 'yes' : 'NO',
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((row) => row[column]?.length ?? 0)));
  const format = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [format(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(format)].join('\n');
}
