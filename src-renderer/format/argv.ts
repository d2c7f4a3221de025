/** A command edited as one line, and the list of arguments it stands for. */

export type ArgvResult =
  { readonly ok: true; readonly argv: readonly string[] } | { readonly ok: false; readonly message: string };

/**
 * Splits a line by the quoting rules of a POSIX shell and nothing else of it: no variables, globs or pipes, since
 * no shell runs the command. An open quote is an error rather than a guess.
 */
export function splitCommandLine(line: string): ArgvResult {
  const argv: string[] = [];
  let word: string | null = null;
  let at = 0;
  while (at < line.length) {
    const character = line.charAt(at);
    if (/\s/.test(character)) {
      if (word !== null) argv.push(word);
      word = null;
      at += 1;
      continue;
    }
    const part = readPart(line, at);
    if (!part.ok) return part;
    word = (word ?? '') + part.text;
    at = part.next;
  }
  if (word !== null) argv.push(word);
  return { ok: true, argv };
}

type Part =
  | { readonly ok: true; readonly text: string; readonly next: number }
  | { readonly ok: false; readonly message: string };

function readPart(line: string, at: number): Part {
  const character = line.charAt(at);
  if (character === "'") return readSingleQuoted(line, at);
  if (character === '"') return readDoubleQuoted(line, at);
  if (character !== '\\') return { ok: true, text: character, next: at + 1 };
  if (at + 1 >= line.length) return { ok: false, message: 'The line ends with a lone backslash.' };
  return { ok: true, text: line.charAt(at + 1), next: at + 2 };
}

function readSingleQuoted(line: string, at: number): Part {
  const end = line.indexOf("'", at + 1);
  if (end < 0) return { ok: false, message: `The ' at character ${at + 1} is never closed.` };
  return { ok: true, text: line.slice(at + 1, end), next: end + 1 };
}

function readDoubleQuoted(line: string, at: number): Part {
  let text = '';
  for (let next = at + 1; next < line.length; next += 1) {
    const character = line.charAt(next);
    if (character === '"') return { ok: true, text, next: next + 1 };
    const following = line.charAt(next + 1);
    if (character === '\\' && (following === '"' || following === '\\')) {
      text += following;
      next += 1;
    } else {
      text += character;
    }
  }
  return { ok: false, message: `The " at character ${at + 1} is never closed.` };
}

const needsNoQuotes = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One argument as a POSIX shell reads it back. */
export function quoteArgument(argument: string): string {
  if (needsNoQuotes.test(argument)) return argument;
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

export const joinCommandLine = (argv: readonly string[]): string => argv.map(quoteArgument).join(' ');
