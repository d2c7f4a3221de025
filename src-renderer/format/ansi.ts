/** Terminal colours in task output, as plain spans. Output is text from another machine: it never becomes markup. */

export interface TextSpan {
  readonly text: string;
  /** 0 to 15 of the terminal palette; null for the normal colour. */
  readonly colour: number | null;
  readonly bold: boolean;
}

interface Style {
  readonly colour: number | null;
  readonly bold: boolean;
}

const plain: Style = { colour: null, bold: false };
// Matching terminal control sequences is the whole purpose of this expression.
const sequence = new RegExp(
  String.raw`\u001b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])`,
  'g',
);

/** Cuts one line into spans. Colours and bold are kept; every other control sequence is dropped. */
export function ansiSpans(line: string): readonly TextSpan[] {
  if (!line.includes('\u001b')) return [{ text: line, ...plain }];
  const spans: TextSpan[] = [];
  let style = plain;
  let at = 0;
  for (const match of line.matchAll(sequence)) {
    if (match.index > at) spans.push({ text: line.slice(at, match.index), ...style });
    at = match.index + match[0].length;
    if (match[2] === 'm') style = restyle(style, match[1] ?? '');
  }
  if (at < line.length) spans.push({ text: line.slice(at), ...style });
  return spans;
}

/** The same line without any control sequence, as search sees it. */
export const withoutAnsi = (line: string): string => line.replace(sequence, '');

function restyle(before: Style, parameters: string): Style {
  let style = before;
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      // Extended colours carry their own arguments: 5;n or 2;r;g;b. Only the first sixteen have a place in our themes.
      if (code === 38 && codes[at + 1] === 5) style = { ...style, colour: within16(codes[at + 2] ?? 0) };
      at += codes[at + 1] === 5 ? 2 : 4;
    } else style = restyleOne(style, code);
  }
  return style;
}

function restyleOne(style: Style, code: number): Style {
  if (code === 0) return plain;
  if (code === 1) return { ...style, bold: true };
  if (code === 22) return { ...style, bold: false };
  if (code === 39) return { ...style, colour: null };
  if (code >= 30 && code <= 37) return { ...style, colour: code - 30 };
  if (code >= 90 && code <= 97) return { ...style, colour: code - 90 + 8 };
  return style;
}

const within16 = (colour: number): number | null => (colour < 16 ? colour : null);
