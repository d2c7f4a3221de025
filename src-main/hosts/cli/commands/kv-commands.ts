import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { KvEntry, KvTransactionInput } from '../../../../shared/contract/kv.ts';
import { usage, type CliContext } from '../cli-context.ts';
import type { Run } from '../command-action.ts';
import { exitCodes } from '../exit-codes.ts';
import { provenanceFields } from '../json-output.ts';
import { readStdin } from '../standard-input.ts';
import { wholeNumber } from '../submission-flags.ts';
import { agoWords, bytesWords } from '../words.ts';
import { watchKeys } from './kv-watch-command.ts';

const revisionMax = Number.MAX_SAFE_INTEGER;
const pageKeys = 500;
/** What the node takes; more would only be refused there. */
const valueBytesMax = 16_384;
const transactionBytesMax = 1_048_576;

interface Provenance {
  readonly consistency: string;
  readonly ageMs: number;
  readonly slot: number;
}

/** Small values that every machine of the swarm agrees on. */
export function addKvCommands(program: Command, run: Run): void {
  const kv = program.command('kv').description('small values that the whole swarm agrees on');
  const stale = ['--stale-ok', 'this machine’s own copy, at once'] as const;
  kv.command('get')
    .argument('<key>')
    .description('print a value')
    .option(...stale)
    .action(run(get));
  kv.command('put')
    .argument('<key>')
    .argument('<value>', '“-” reads it from standard input')
    .description('store a value')
    .option('--with-session', 'it goes when this machine’s node stops or is lost')
    .action(run(put));
  kv.command('cas')
    .argument('<key>')
    .argument('<value>', '“-” reads it from standard input')
    .description('store a value only if the key is as expected (exit code 6 otherwise)')
    .option('--revision <n>', 'it has this revision')
    .option('--expect <value>', 'it has this value')
    .option('--absent', 'there is no such key')
    .option('--with-session', 'it goes when this machine’s node stops or is lost')
    .action(run(compareAndSet));
  kv.command('delete')
    .alias('rm')
    .argument('<key>')
    .description('delete a key')
    .option('--revision <n>', 'only while it has this revision')
    .action(run(remove));
  kv.command('range')
    .alias('ls')
    .argument('[prefix]', 'keys that begin with this')
    .description('list keys in order')
    .option('--from <key>', 'from this key on')
    .option('--to <key>', 'up to this key, without it')
    .option('--limit <n>', 'at most so many', '100')
    .option('--keys-only', 'without the values')
    .option(...stale)
    .action(run(range));
  kv.command('txn')
    .argument('[file]', 'JSON with compares, thenOperations and elseOperations; standard input by default')
    .description('change several keys together, or none (exit code 6 when a comparison does not hold)')
    .action(run(transact));
  kv.command('watch')
    .argument('[prefix]', 'keys that begin with this')
    .description('print every change as it happens')
    .option('--key <key>', 'this key only')
    .option('--from-revision <n>', 'every change from there on, none missing')
    .action(run(watchKeys));
  kv.command('usage').description('how full the store is').action(run(showUsage));
}

async function get(context: CliContext, flags: { readonly staleOk?: boolean }, key: string): Promise<number> {
  const { client } = await context.node();
  const { entry, provenance } = await client.kv.get({ key, stale: flags.staleOk === true });
  noteStale(context, provenance);
  if (entry === null) {
    context.note(`skein: there is no key “${key}”`);
    return exitCodes.notFound;
  }
  if (!context.outJson('KvEntry', { ...provenanceOf(context, provenance), ...entry })) context.out(entry.value);
  return exitCodes.done;
}

interface PutFlags {
  readonly withSession?: boolean;
}

async function put(context: CliContext, flags: PutFlags, key: string, value: string): Promise<number> {
  const text = await valueOf(context, value);
  const { client } = await context.node();
  const done = await client.kv.put({ key, value: text, withSession: flags.withSession === true });
  if (!context.outJson('KvPut', { key, ...done })) context.note(`“${key}” has revision ${done.revision} now.`);
  return exitCodes.done;
}

interface CompareFlags extends PutFlags {
  readonly revision?: string;
  readonly expect?: string;
  readonly absent?: boolean;
}

async function compareAndSet(context: CliContext, flags: CompareFlags, key: string, value: string): Promise<number> {
  const revision = wholeNumber('--revision', flags.revision, 1, revisionMax);
  const given = [revision, flags.expect, flags.absent].filter((flag) => flag !== undefined);
  if (given.length !== 1) {
    throw usage('say what is expected', 'Give one of --revision N, --expect VALUE and --absent.');
  }
  const expected = flags.absent === true ? null : flags.expect;
  const text = await valueOf(context, value);
  const { client } = await context.node();
  const done = await client.kv.compareAndSet({
    key,
    value: text,
    withSession: flags.withSession === true,
    ...(revision === undefined ? {} : { revision }),
    ...(expected === undefined ? {} : { expected }),
  });
  if (!context.outJson('KvPut', { key, ...done })) context.note(`“${key}” has revision ${done.revision} now.`);
  return exitCodes.done;
}

async function remove(context: CliContext, flags: { readonly revision?: string }, key: string): Promise<number> {
  const revision = wholeNumber('--revision', flags.revision, 1, revisionMax);
  const { client } = await context.node();
  const done = await client.kv.delete({ key, ...(revision === undefined ? {} : { revision }) });
  if (!context.outJson('KvDeleted', { key, ...done })) {
    context.note(done.deleted ? `“${key}” is deleted.` : `skein: there is no key “${key}”`);
  }
  return done.deleted ? exitCodes.done : exitCodes.notFound;
}

interface RangeFlags {
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly keysOnly?: boolean;
  readonly staleOk?: boolean;
}

async function range(context: CliContext, flags: RangeFlags, prefix: string | undefined): Promise<number> {
  const limit = wholeNumber('--limit', flags.limit, 1, 1_000_000) ?? 100;
  if (prefix !== undefined && (flags.from !== undefined || flags.to !== undefined))
    throw usage('a prefix and --from or --to exclude each other', 'Give one or the other.');
  const { client } = await context.node();
  const entries: KvEntry[] = [];
  let from = flags.from;
  let provenance: Provenance | null = null;
  let total = 0;
  for (;;) {
    const page = await client.kv.range({
      ...(prefix === undefined ? {} : { prefix }),
      ...(from === undefined ? {} : { from }),
      ...(flags.to === undefined ? {} : { to: flags.to }),
      limit: Math.min(pageKeys, limit - entries.length),
      keysOnly: flags.keysOnly === true,
      stale: flags.staleOk === true,
    });
    entries.push(...page.entries);
    provenance ??= page.provenance;
    if (total === 0) total = page.total;
    if (page.next === null || entries.length >= limit) break;
    from = page.next;
  }
  noteStale(context, provenance);
  const now = context.world.wall();
  context.list('KvList', { sequence: 0, provenance, view: null }, entries, {
    headers: ['KEY', 'REVISION', 'VERSION', 'CHANGED', 'BY', ...(flags.keysOnly === true ? [] : ['VALUE'])],
    rows: entries.map((entry) => [
      entry.key,
      String(entry.revision),
      String(entry.version),
      agoWords(entry.at, now),
      entry.endsWith === null ? entry.by.name : `${entry.endsWith.name} (with its session)`,
      ...(flags.keysOnly === true ? [] : [oneLine(entry.value)]),
    ]),
    names: entries.map(({ key }) => key),
    empty: 'No such keys. Store a value: skein kv put KEY VALUE',
  });
  if (total > entries.length && context.format === 'table')
    context.note(`${entries.length} of ${total} keys; more with --limit ${total}.`);
  return exitCodes.done;
}

async function transact(context: CliContext, _flags: object, file: string | undefined): Promise<number> {
  const text =
    file === undefined || file === '-'
      ? await readStdin(context, 'the transaction', transactionBytesMax)
      : await readFile(resolve(context.world.cwd, file), 'utf8').catch((error: unknown) => {
          throw usage(`${file} cannot be read: ${String(error)}`, 'Name a file with the transaction as JSON.');
        });
  const { client } = await context.node();
  const done = await client.kv.transact(parsed(text));
  if (!context.outJson('KvTransaction', done)) {
    for (const answer of done.answers) {
      if (answer.type === 'got') context.out(`${answer.key}\t${answer.entry === null ? '—' : answer.entry.value}`);
    }
    context.note(
      done.succeeded
        ? `Done at revision ${done.revision}.`
        : `skein: a comparison does not hold; the other branch was taken at revision ${done.revision}`,
    );
  }
  return done.succeeded ? exitCodes.done : exitCodes.preconditionFailed;
}

function parsed(text: string): KvTransactionInput {
  try {
    // The node checks it against the contract's schema and says what is wrong with it.
    return JSON.parse(text) as KvTransactionInput;
  } catch (error) {
    throw usage(
      `the transaction is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      'Such as: {"compares":[{"type":"revision","key":"a","revision":0}],"thenOperations":[{"type":"put","key":"a","value":"1"}]}',
    );
  }
}

async function showUsage(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const { provenance, ...usage } = await client.kv.usage();
  if (context.outJson('KvUsage', { ...provenanceOf(context, provenance), ...usage })) return exitCodes.done;
  context.out(
    `${usage.keys} of ${usage.keysMax} keys, ${bytesWords(usage.bytes)} of ${bytesWords(usage.bytesMax)}; a watch may begin at revision ${usage.oldestRevision}.`,
  );
  return exitCodes.done;
}

const valueOf = async (context: CliContext, value: string): Promise<string> =>
  value === '-' ? await readStdin(context, 'the value', valueBytesMax) : value;

const provenanceOf = (context: CliContext, provenance: Provenance): object =>
  provenanceFields({ sequence: 0, provenance, view: null }, context.world.wall());

/** A copy that was asked for says how old it is; silence means that the swarm was asked. */
function noteStale(context: CliContext, { consistency, ageMs, slot }: Provenance): void {
  if (consistency === 'quorum' || context.format !== 'table') return;
  const age = consistency === 'local' ? 'as of' : `${Math.round(ageMs / 1_000)} s old, as of`;
  context.note(context.paint('warn', `This machine’s own copy, ${age} #${slot}.`));
}

const oneLine = (value: string): string => value.replaceAll(/\s+/g, ' ').slice(0, 200);
