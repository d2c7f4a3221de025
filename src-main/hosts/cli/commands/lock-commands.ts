import type { Command } from 'commander';
import { usage, type CliContext } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdAndRun } from '../lock-holder.ts';
import type { Run } from '../command-action.ts';
import { wholeNumber } from '../submission-flags.ts';
import { spanWords } from '../words.ts';

interface HoldFlags {
  readonly wait: boolean;
  readonly timeout?: string;
  readonly label?: string;
}

/** Locks: who holds them, working under one, taking one away. */
export function addLockCommands(program: Command, run: Run): void {
  const hold = run((context, flags: HoldFlags, name: string | undefined) => holdLock(context, flags, name));
  const lock = program
    .command('lock')
    .description('work under a lock: skein lock NAME -- COMMAND…')
    .usage('NAME [options] -- COMMAND… | list | release');
  addHoldFlags(lock.argument('[name]', 'which lock')).action(hold);
  addHoldFlags(
    lock
      .command('acquire')
      .argument('<name>', 'which lock')
      .description('the same, for any name')
      .usage('NAME [options] -- COMMAND…'),
  ).action(hold);
  lock.command('list').alias('ls').description('list locks').action(run(list));
  lock
    .command('release')
    .argument('<name>', 'which lock')
    .description('take a lock from its holder')
    .option('--force', 'it is not yours: needs --token and --reason')
    .option('--token <n>', 'the token it is held with now')
    .option('--reason <text>', 'why, for others to read')
    .action(run((context, flags: ReleaseFlags, name: string) => release(context, flags, name)));
}

function addHoldFlags(command: Command): Command {
  return command
    .option('--no-wait', 'fail at once when somebody else holds it')
    .option('--timeout <duration>', 'wait this long at most')
    .option('--label <text>', 'shown to others; the command by default');
}

async function holdLock(context: CliContext, flags: HoldFlags, name: string | undefined): Promise<number> {
  if (name === undefined) throw usage('which lock?', 'Say: skein lock NAME -- COMMAND…, or skein lock list');
  if (context.command === null || context.command.length === 0) {
    throw usage(
      `there is no command to run under the lock “${name}”`,
      `Put it after “--”, such as: skein lock ${name} -- make install`,
    );
  }
  const waitMs = flags.timeout === undefined ? null : parseDuration(flags.timeout, '--timeout');
  return holdAndRun(context, { name, argv: context.command, label: flags.label ?? null, wait: flags.wait, waitMs });
}

async function list(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const frame = await client.locks.list();
  const { locks } = frame.view;
  context.list('LockList', frame, locks, {
    headers: ['NAME', 'STATE', 'HOLDER', 'TOKEN', 'LEASE LEFT', 'WAITERS', 'FOR'],
    rows: locks.map(({ name, state, holder, waiters }) => [
      name,
      context.paint(state === 'uncertain' ? 'warn' : state === 'held' ? 'busy' : 'quiet', state),
      holder === null ? '—' : `${holder.node.name}${holder.reachable ? '' : ' (unreachable)'}`,
      holder === null ? '—' : String(holder.token),
      holder === null || holder.leaseLeftMs === null ? '—' : spanWords(holder.leaseLeftMs),
      String(waiters.length),
      holder === null ? '' : holder.label === '' ? holder.owner : holder.label,
    ]),
    names: locks.map(({ name }) => name),
    empty: 'No locks are held. Work under one: skein lock NAME -- COMMAND…',
  });
  return exitCodes.done;
}

interface ReleaseFlags {
  readonly force?: boolean;
  readonly token?: string;
  readonly reason?: string;
}

async function release(context: CliContext, flags: ReleaseFlags, name: string): Promise<number> {
  const token = wholeNumber('--token', flags.token, 1, Number.MAX_SAFE_INTEGER);
  if (flags.force !== true || token === undefined || flags.reason === undefined) {
    throw usage(
      'taking a lock from its holder needs --force, --token and --reason',
      `Its holder may still be working. See skein lock list, then: skein lock release ${name} --force --token N --reason TEXT`,
    );
  }
  const { client } = await context.node();
  const { released } = await client.locks.forceRelease({ name, token, reason: flags.reason });
  if (!context.outJson('Released', { name, token, released }))
    context.note(`Released “${name}” from its holder with token ${token}.`);
  return exitCodes.done;
}
