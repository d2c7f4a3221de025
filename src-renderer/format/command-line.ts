import { joinCommandLine, quoteArgument } from './argv.ts';
import { durationFlag } from './time.ts';

/** What a submission says, in the shape of the contract; kept structural so that this folder depends on nothing. */
export interface CommandLineSubmission {
  readonly name?: string | undefined;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly inputs?: readonly string[] | undefined;
  readonly each?:
    | { readonly type: 'once' }
    | { readonly type: 'files'; readonly globs: readonly string[] }
    | { readonly type: 'lines'; readonly lines: readonly string[] }
    | { readonly type: 'range'; readonly from: number; readonly to: number; readonly step?: number | undefined }
    | undefined;
  readonly outputs?: readonly string[] | undefined;
  readonly outputFolder?: string | undefined;
  readonly lock?: string | undefined;
  readonly retries?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly on?: string | undefined;
  readonly policy?: string | undefined;
  readonly slots?: number | undefined;
  readonly priority?: string | undefined;
}

/** Lines shown before a long list is named by a file instead: a preview of a hundred thousand lines helps nobody. */
export const previewLinesMax = 12;

/**
 * The POSIX shell line that submits exactly this. Lines of input come through standard input; when there are more
 * than `previewLinesMax` of them the preview reads them from `lines.txt`, and says so in its own words elsewhere.
 */
export function submitCommandLine(submission: CommandLineSubmission): string {
  const flags = [...eachFlags(submission), ...plainFlags(submission)];
  const command = ['skein submit', ...flags, '--', joinCommandLine(submission.argv)].join(' ');
  const each = submission.each;
  if (each?.type !== 'lines') return command;
  if (each.lines.length > previewLinesMax) return command;
  return `printf '%s\\n' ${joinCommandLine(each.lines)} | ${command}`;
}

function eachFlags(submission: CommandLineSubmission): readonly string[] {
  const each = submission.each ?? { type: 'once' as const };
  switch (each.type) {
    case 'once':
      return [];
    case 'files':
      // Quoted, so that Skein expands the pattern: the shell's own expansion would be cut at its argument limit.
      return each.globs.map((glob) => flag('--each-file', glob));
    case 'lines':
      return [flag('--each-line', each.lines.length > previewLinesMax ? 'lines.txt' : '-')];
    case 'range':
      return [flag('--array', `${each.from}-${each.to}${(each.step ?? 1) === 1 ? '' : `:${each.step ?? 1}`}`)];
  }
}

function plainFlags(submission: CommandLineSubmission): readonly string[] {
  const flags: string[] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') flags.push(flag(name, value));
  };
  add('--name', submission.name);
  add('--cwd', submission.cwd);
  for (const [key, value] of Object.entries(submission.env ?? {})) add('--env', `${key}=${value}`);
  for (const input of submission.inputs ?? []) add('--input', input);
  for (const output of submission.outputs ?? []) add('--output', output);
  add('--into', submission.outputFolder);
  add('--on', submission.on);
  if (submission.policy !== undefined && submission.policy !== 'least-loaded') add('--policy', submission.policy);
  if ((submission.slots ?? 1) !== 1) add('--slots', String(submission.slots));
  add('--priority', submission.priority);
  add('--lock', submission.lock);
  if ((submission.retries ?? 0) !== 0) add('--retries', String(submission.retries));
  if (submission.timeoutMs !== undefined) add('--timeout', durationFlag(submission.timeoutMs));
  return flags;
}

/** A value that begins with a dash would read as a flag of its own, so it is joined with `=`. */
function flag(name: string, value: string): string {
  return value.startsWith('-') && value !== '-' ? `${name}=${quoteArgument(value)}` : `${name} ${quoteArgument(value)}`;
}
