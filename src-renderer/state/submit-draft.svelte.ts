import type { Submission } from '../../shared/contract/tasks.ts';
import { joinCommandLine, splitCommandLine } from '../format/argv.ts';

export type EachKind = 'once' | 'files' | 'lines' | 'range';

export interface DraftProblem {
  readonly field: string;
  readonly message: string;
}

/** The submit form as typed. It lives as long as the window, so leaving the page loses nothing. */
export class SubmitDraft {
  name = $state('');
  command = $state('');
  cwd = $state('');
  each = $state<EachKind>('once');
  globs = $state('');
  lines = $state('');
  rangeFrom = $state(1);
  rangeTo = $state(10);
  rangeStep = $state(1);
  inputs = $state('');
  outputs = $state('');
  outputFolder = $state('');
  env = $state('');
  on = $state('');
  policy = $state<'least-loaded' | 'round-robin'>('least-loaded');
  priority = $state<'' | 'low' | 'high'>('');
  lock = $state('');
  retries = $state(0);
  timeoutMinutes = $state('');
  slots = $state(1);

  readonly argv = $derived(splitCommandLine(this.command));
  readonly problems = $derived.by(() => findProblems(this));
  readonly submission = $derived.by(() => toSubmission(this));

  /** Fills the form from a job, to send it again with changes. The job itself never changes. */
  fillFrom(source: {
    argv: readonly string[];
    name: string;
    outputs: readonly string[];
    env: Readonly<Record<string, string>>;
    retries: number;
    timeoutMs: number | null;
    slots: number;
    lock: string | null;
    policy: 'least-loaded' | 'round-robin';
    priority?: 'low' | 'high' | undefined;
  }): void {
    this.name = source.name;
    this.command = joinCommandLine(source.argv);
    this.outputs = source.outputs.join('\n');
    this.env = Object.entries(source.env)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');
    this.retries = source.retries;
    this.timeoutMinutes = source.timeoutMs === null ? '' : String(source.timeoutMs / 60_000);
    this.slots = source.slots;
    this.lock = source.lock ?? '';
    this.policy = source.policy;
    this.priority = source.priority ?? '';
  }

  /** Takes files that were dropped or chosen, by their absolute paths: one task each, read against their common folder. */
  takeFiles(paths: readonly string[]): void {
    const [first] = paths;
    if (first === undefined) return;
    const separator = first.includes('/') ? '/' : '\\';
    const folders = paths.map((path) => path.split(separator).slice(0, -1));
    const common = (folders[0] ?? []).filter((_part, at, own) =>
      folders.every((folder) => own.slice(0, at + 1).every((step, depth) => folder[depth] === step)),
    );
    this.cwd = common.join(separator) || separator;
    this.each = 'files';
    this.globs = paths.map((path) => path.split(separator).slice(common.length).join('/')).join('\n');
  }

  clear(): void {
    this.name = this.command = this.globs = this.lines = this.inputs = this.outputs = '';
    this.outputFolder = this.env = this.on = this.lock = this.timeoutMinutes = '';
    this.each = 'once';
    this.policy = 'least-loaded';
    this.priority = '';
    this.retries = 0;
    this.slots = 1;
  }
}

const listOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function findProblems(draft: SubmitDraft): readonly DraftProblem[] {
  const problems: DraftProblem[] = [];
  const add = (field: string, message: string): number => problems.push({ field, message });
  if (!draft.argv.ok) add('command', draft.argv.message);
  else if (draft.argv.argv.length === 0) add('command', 'Say which program to run.');
  if (draft.cwd === '') add('cwd', 'Name the folder that paths are read against.');
  else if (!isAbsolute(draft.cwd)) add('cwd', 'Give the whole path, from the root of the disk.');
  if (draft.each === 'files' && listOf(draft.globs).length === 0)
    add('globs', 'Name at least one file or pattern, such as *.png.');
  if (draft.each === 'lines' && linesOf(draft.lines).length === 0) add('lines', 'Give at least one line.');
  if (draft.each === 'lines' && linesOf(draft.lines).length > 100_000)
    add('lines', 'At most 100,000 lines fit in one job.');
  if (draft.each === 'range') {
    const whole = [draft.rangeFrom, draft.rangeTo, draft.rangeStep].every((value) => Number.isInteger(value));
    if (!whole || draft.rangeStep < 1 || draft.rangeFrom < 0 || draft.rangeTo < draft.rangeFrom) {
      add('range', 'Count up in whole numbers from 0 or more, with a step of at least 1.');
    }
  }
  for (const entry of listOf(draft.env)) if (!/^[^=\s]+=/.test(entry)) add('env', `“${entry}” is not NAME=value.`);
  if (!Number.isInteger(draft.retries) || draft.retries < 0 || draft.retries > 100)
    add('retries', 'Between 0 and 100.');
  if (!Number.isInteger(draft.slots) || draft.slots < 1 || draft.slots > 256) add('slots', 'Between 1 and 256.');
  if (draft.timeoutMinutes.trim() !== '' && !(Number(draft.timeoutMinutes) > 0))
    add('timeout', 'A number of minutes above 0, or nothing.');
  return problems;
}

/** An empty last line is the end of the text, not a task. */
const linesOf = (text: string): string[] =>
  text
    .replace(/\n+$/, '')
    .split('\n')
    .filter((line, _index, all) => all.length > 1 || line !== '');

/** A path from a root, on any of the three systems. */
const isAbsolute = (path: string): boolean => /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);

function toSubmission(draft: SubmitDraft): Submission {
  const timeout = Number(draft.timeoutMinutes);
  const env = Object.fromEntries(
    listOf(draft.env)
      .filter((entry) => entry.includes('='))
      .map(splitEntry),
  );
  return {
    ...given('name', draft.name.trim()),
    argv: draft.argv.ok ? [...draft.argv.argv] : [],
    env,
    cwd: draft.cwd,
    inputs: listOf(draft.inputs),
    each: eachOf(draft),
    outputs: listOf(draft.outputs),
    ...given('outputFolder', draft.outputFolder.trim()),
    ...given('lock', draft.lock.trim()),
    ...given('on', draft.on),
    ...(draft.timeoutMinutes.trim() !== '' && timeout > 0 ? { timeoutMs: Math.round(timeout * 60_000) } : {}),
    retries: draft.retries,
    policy: draft.policy,
    slots: draft.slots,
    ...(draft.priority === '' ? {} : { priority: draft.priority }),
  };
}

function eachOf(draft: SubmitDraft): NonNullable<Submission['each']> {
  switch (draft.each) {
    case 'once':
      return { type: 'once' };
    case 'files':
      return { type: 'files', globs: listOf(draft.globs) };
    case 'lines':
      return { type: 'lines', lines: linesOf(draft.lines) };
    case 'range':
      return { type: 'range', from: draft.rangeFrom, to: draft.rangeTo, step: draft.rangeStep };
  }
}

const given = <Key extends string>(name: Key, value: string): { [key in Key]?: string } =>
  value === '' ? {} : ({ [name]: value } as { [key in Key]: string });

function splitEntry(entry: string): readonly [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}
