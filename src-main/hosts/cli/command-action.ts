import type { CliContext } from './cli-context.ts';

/** Makes a commander action out of a command: flags first, then arguments, and an exit code as the answer. */
export type Run = <Flags extends object, Arguments extends readonly unknown[]>(
  command: (context: CliContext, flags: Flags, ...args: Arguments) => Promise<number>,
) => (...args: unknown[]) => Promise<void>;
