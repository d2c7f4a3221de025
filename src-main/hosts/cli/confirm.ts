import { createInterface } from 'node:readline/promises';
import { usage, type CliContext } from './cli-context.ts';

/** Somebody sits at a terminal who can be asked. */
export const canAsk = ({ world }: CliContext): boolean => world.stdin.isTTY === true && world.stderr.isTTY === true;

/** Asks on standard error, so that standard output stays data. */
export async function ask({ world }: CliContext, question: string): Promise<string> {
  const terminal = createInterface({ input: world.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}

/** Throws a usage failure where nobody can be asked; `insteadGive` says which flags a script gives. */
export function requireTerminal(context: CliContext, insteadGive: string): void {
  if (!canAsk(context)) throw usage('this must be confirmed and there is nobody to ask', insteadGive);
}

export const isYes = (answer: string): boolean => /^y(es)?$/i.test(answer);
