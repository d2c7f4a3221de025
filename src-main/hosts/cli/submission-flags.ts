import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Submission } from '../../../shared/contract/tasks.ts';
import { jobPriorities, placementPolicies } from '../../../shared/domain/task.ts';
import { usage, type CliContext } from './cli-context.ts';
import { parseDuration } from './duration.ts';
import { readStdin } from './standard-input.ts';

const linesBytesMax = 64 * 1_024 * 1_024;

/** The flags of `submit` and `run`, as commander hands them over. */
export interface SubmissionFlags {
  readonly name?: string;
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly into?: string;
  readonly lock?: string;
  readonly retries?: string;
  readonly timeout?: string;
  readonly on?: string;
  readonly policy?: string;
  readonly slots?: string;
  readonly priority?: string;
  readonly eachFile?: readonly string[];
  readonly eachLine?: string;
  readonly array?: string;
}

const priorities = ['high', 'normal', 'low'];

const gather = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** Flags that say what one task needs. */
export function addTaskFlags(command: Command): Command {
  return command
    .option('--name <name>', 'what the job is called')
    .option('--env <K=V>', 'set a variable for the program (K alone passes on yours); may be repeated', gather)
    .option('--cwd <dir>', 'folder that relative paths are read against')
    .option('--input <path>', 'file or folder that every task needs; may be repeated', gather)
    .option(
      '--output <glob>',
      'files to bring back, relative to the task’s folder; may hold placeholders; may be repeated',
      gather,
    )
    .option('--into <dir>', 'where outputs go on this machine')
    .option('--lock <name>', 'run only while holding this lock')
    .option('--retries <n>', 'run a failed task again up to n times')
    .option('--timeout <duration>', 'stop a task after this long, such as 1h30m')
    .option('--on <machine>', 'run on this machine only')
    .option('--policy <policy>', `how machines are chosen: ${placementPolicies.join(', ')}`)
    .option('--slots <n>', 'slots that a task takes on its machine')
    .option(
      '--priority <priority>',
      `place its tasks before those of other jobs or after them: ${priorities.join(', ')}`,
    );
}

/** Flags that make many tasks out of one command. */
export function addEachFlags(command: Command): Command {
  return command
    .option('--each-file <glob...>', 'one task per file; {file} {name} {stem} {ext} stand for it')
    .option('--each-line <file>', 'one task per line of a file, “-” for standard input; {line} stands for it')
    .option('--array <from-to:step>', 'one task per number, such as 1-100 or 1-100:2; {index} stands for it');
}

/** What the flags ask for, as the contract takes it. Throws `bad-input` and names the flag. */
export async function submissionOf(context: CliContext, flags: SubmissionFlags): Promise<Submission> {
  const argv = context.command;
  if (argv === null || argv.length === 0) {
    throw usage('there is no command to run', 'Put it after “--”, such as: skein run -- echo hello');
  }
  const each = await eachOf(context, flags);
  const cwd = resolve(context.world.cwd, flags.cwd ?? '.');
  return {
    argv: [...argv],
    cwd,
    env: envOf(flags.env ?? [], context.world.env),
    ...present('name', flags.name),
    ...present('inputs', flags.input && [...flags.input]),
    ...present('outputs', flags.output && [...flags.output]),
    ...present('outputFolder', flags.into === undefined ? undefined : resolve(context.world.cwd, flags.into)),
    ...present('each', each),
    ...present('lock', flags.lock),
    ...present('retries', wholeNumber('--retries', flags.retries, 0, 100)),
    ...present('timeoutMs', flags.timeout === undefined ? undefined : parseDuration(flags.timeout, '--timeout')),
    ...present('on', flags.on),
    ...present('policy', policyOf(flags.policy)),
    ...present('slots', wholeNumber('--slots', flags.slots, 1, 256)),
    ...present('priority', priorityOf(flags.priority)),
  };
}

/** A whole number within limits; undefined stays undefined. */
export function wholeNumber(flag: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw usage(`${flag} cannot be “${text}”`, `Give a whole number from ${least} to ${most}.`);
  }
  return value;
}

function envOf(pairs: readonly string[], own: CliContext['world']['env']): Record<string, string> {
  const env: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? own[name] : pair.slice(at + 1);
    if (name === '') throw usage(`--env cannot be “${pair}”`, 'Give NAME=VALUE, or NAME to pass on your own variable.');
    if (value === undefined)
      throw usage(`--env ${name}: there is no such variable here`, `Set it, or give its value: --env ${name}=VALUE`);
    env[name] = value;
  }
  return env;
}

function policyOf(text: string | undefined): Submission['policy'] {
  if (text === undefined) return undefined;
  const policy = placementPolicies.find((known) => known === text);
  if (policy === undefined) throw usage(`--policy cannot be “${text}”`, `Give one of ${placementPolicies.join(', ')}.`);
  return policy;
}

function priorityOf(text: string | undefined): Submission['priority'] {
  if (text === undefined || text === 'normal') return undefined;
  const priority = jobPriorities.find((known) => known === text);
  if (priority === undefined) throw usage(`--priority cannot be “${text}”`, `Give one of ${priorities.join(', ')}.`);
  return priority;
}

async function eachOf(context: CliContext, flags: SubmissionFlags): Promise<Submission['each']> {
  const given = [
    flags.eachFile && '--each-file',
    flags.eachLine !== undefined && '--each-line',
    flags.array !== undefined && '--array',
  ];
  const names = given.filter((name) => typeof name === 'string');
  if (names.length > 1) throw usage(`${names.join(' and ')} cannot be used together`, 'Choose one of them.');
  if (flags.eachFile) return { type: 'files', globs: [...flags.eachFile] };
  if (flags.eachLine !== undefined) return { type: 'lines', lines: await readLines(context, flags.eachLine) };
  return flags.array === undefined ? undefined : rangeOf(flags.array);
}

function rangeOf(text: string): Submission['each'] {
  const [, from, to = from, step = '1'] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(text) ?? [];
  if (from === undefined || Number(to) < Number(from) || Number(step) < 1) {
    throw usage(
      `--array cannot be “${text}”`,
      'Give the first and the last number, such as 1-100, or 1-100:2 for every second.',
    );
  }
  return { type: 'range', from: Number(from), to: Number(to), step: Number(step) };
}

async function readLines(context: CliContext, source: string): Promise<string[]> {
  const text =
    source === '-'
      ? await readStdin(context, '--each-line', linesBytesMax)
      : await readNamed(resolve(context.world.cwd, source));
  const lines = text.split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw usage(`--each-line ${source} has no lines`, 'Give a file with at least one line.');
  return lines;
}

async function readNamed(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw usage(
      `--each-line: cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      'Check the path, or use “-” for standard input.',
    );
  }
}

function present<Name extends string, Value>(name: Name, value: Value): { [Key in Name]?: Exclude<Value, undefined> } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Exclude<Value, undefined> };
}
