import type { Command } from 'commander';
import { usage, type CliContext } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdAndRun, termsFields, type LockTerms } from '../lock-holder.ts';
import type { Run } from '../command-action.ts';
import { wholeNumber } from '../submission-flags.ts';
import { commandWords } from '../words.ts';
import { addBarrierCommand } from './barrier-command.ts';
import { addLockViewCommands } from './lock-view-commands.ts';

interface HoldFlags {
  readonly wait: boolean;
  readonly try?: boolean;
  readonly timeout?: string;
  readonly label?: string;
  readonly shared?: boolean;
  readonly slots?: string;
  readonly also?: readonly string[];
  readonly delay?: string;
  readonly untilReleased?: boolean;
}

const tokenMax = Number.MAX_SAFE_INTEGER;

/** Locks: who holds them, working under one, taking one away. */
export function addLockCommands(program: Command, run: Run): void {
  // The flags of “lock acquire NAME” are read as those of “lock NAME”, which has the same ones.
  const hold = run((context, _flags: object, name: string | undefined) =>
    holdLock(context, lock.opts<HoldFlags>(), name),
  );
  const lock = program
    .command('lock')
    .description('work under a lock: skein lock NAME -- COMMAND…')
    .usage('NAME [options] -- COMMAND… | list | show | history | release | force | latch | barrier');
  addHoldFlags(lock.argument('[name]', 'which lock')).action(hold);
  addHoldFlags(
    lock
      .command('acquire')
      .alias('hold')
      .argument('<name>', 'which lock')
      .description('the same, for any name; with --until-released and no command, keep it until “lock release”')
      .usage('NAME [options] -- COMMAND…'),
  ).action(hold);
  addHoldFlags(
    lock
      .command('try')
      .argument('<name>', 'which lock')
      .description('the same, but fail at once (exit code 6) when it is not to be had')
      .usage('NAME [options] -- COMMAND…'),
  ).action(
    run((context, _flags: object, name: string) => holdLock(context, { ...lock.opts<HoldFlags>(), try: true }, name)),
  );
  addHoldFlags(
    lock
      .command('latch')
      .argument('<name>', 'which latch')
      .description('keep one copy of a command running in the swarm: whoever loses the lock waits for it again')
      .usage('NAME [options] -- COMMAND…'),
  ).action(run((context, _flags: object, name: string) => latch(context, lock.opts<HoldFlags>(), name)));
  addBarrierCommand(lock, run);
  addLockViewCommands(lock, run);
  addEndCommands(lock, run);
}

function addEndCommands(lock: Command, run: Run): void {
  lock
    .command('release')
    .argument('<names...>', 'which locks')
    .description('give back what “acquire --until-released” took on this machine')
    .option('--force', 'it is not yours: needs --token and --reason')
    .option('--token <n>', 'the token it is held with now')
    .option('--reason <text>', 'why, for others to read')
    .action(run((context, flags: ReleaseFlags, names: string[]) => release(context, flags, names)));
  lock
    .command('force')
    .argument('<name>', 'which lock')
    .description('take a lock from its holder')
    .requiredOption('--token <n>', 'the token it is held with now')
    .requiredOption('--reason <text>', 'why, for others to read')
    .action(run((context, flags: ReleaseFlags, name: string) => release(context, { ...flags, force: true }, [name])));
  lock
    .command('downgrade')
    .argument('[name]', 'which lock; the one this command runs under by default')
    .description('go on as a reader: others may read along')
    .option('--token <n>', 'its token; that of the surrounding “skein lock” by default')
    .action(run(downgrade));
}

function addHoldFlags(command: Command): Command {
  return command
    .option('--no-wait', 'fail at once when somebody else holds it')
    .option('--try', 'the same')
    .option('--timeout <duration>', 'wait this long at most')
    .option('--label <text>', 'shown to others; the command by default')
    .option('--shared', 'together with other readers')
    .option('--slots <n>', 'as one of at most so many; all who use it must say the same number')
    .option('--also <names...>', 'these locks too: all together or none')
    .option('--delay <duration>', 'nobody gets it for so long after it was lost (15 s by default)')
    .option('--until-released', 'keep it beyond this machine’s session, until it is released or taken by force');
}

async function holdLock(context: CliContext, flags: HoldFlags, name: string | undefined): Promise<number> {
  if (name === undefined) throw usage('which lock?', 'Say: skein lock NAME -- COMMAND…, or skein lock list');
  const waitMs = flags.timeout === undefined ? null : parseDuration(flags.timeout, '--timeout');
  const wait = flags.wait && flags.try !== true;
  const terms = termsOf(flags);
  if (flags.untilReleased === true) return keep(context, flags, { name, terms, wait, waitMs });
  const argv = commandOf(context, name);
  return holdAndRun(context, { name, terms, argv, label: flags.label ?? null, wait, waitMs });
}

function commandOf(context: CliContext, name: string): readonly string[] {
  if (context.command !== null && context.command.length > 0) return context.command;
  throw usage(
    `there is no command to run under the lock “${name}”`,
    `Put it after “--”, such as: skein lock ${name} -- make install`,
  );
}

function termsOf(flags: HoldFlags): LockTerms {
  if (flags.shared === true && flags.slots !== undefined)
    throw usage('--shared and --slots exclude each other', 'A semaphore has no readers and writers.');
  const permits = wholeNumber('--slots', flags.slots, 1, 1_000);
  return {
    also: flags.also ?? [],
    mode: permits !== undefined ? 'permit' : flags.shared === true ? 'shared' : 'exclusive',
    permits: permits ?? 1,
    delayMs: flags.delay === undefined ? null : parseDuration(flags.delay, '--delay'),
  };
}

interface KeepRequest {
  readonly name: string;
  readonly terms: LockTerms;
  readonly wait: boolean;
  readonly waitMs: number | null;
}

/** Longest wait for a lock that is kept: a day. */
const keepWaitMaxMs = 86_400_000;

async function keep(
  context: CliContext,
  flags: HoldFlags,
  { name, terms, wait, waitMs }: KeepRequest,
): Promise<number> {
  if (context.command !== null)
    throw usage('--until-released runs no command', 'Leave out what follows “--”, or leave out --until-released.');
  const { client } = await context.node();
  const label = flags.label ?? `kept by ${commandWords(context.world.argv)}`.slice(0, 200);
  const { token, names } = await client.locks.acquire({
    name,
    label,
    ...termsFields(terms),
    waitMs: wait ? (waitMs ?? keepWaitMaxMs) : 0,
  });
  if (context.outJson('LockAcquired', { names, token })) return exitCodes.done;
  context.out(String(token));
  context.note(`Held with token ${token} until: skein lock release ${names.join(' ')} --token ${token}`);
  return exitCodes.done;
}

/** Runs the command whenever this machine holds the lock, until it ends by itself. */
async function latch(context: CliContext, flags: HoldFlags, name: string): Promise<number> {
  const argv = commandOf(context, name);
  const terms = { ...termsOf(flags), mode: 'exclusive' as const };
  for (;;) {
    let isLost = false;
    const code = await holdAndRun(context, {
      ...{ name, terms, argv, label: flags.label ?? null, wait: true, waitMs: null },
      onLost: () => {
        isLost = true;
      },
    });
    if (!isLost) return code;
    context.note(`Waiting to lead “${name}” again.`);
  }
}

interface ReleaseFlags {
  readonly force?: boolean;
  readonly token?: string;
  readonly reason?: string;
}

async function release(context: CliContext, flags: ReleaseFlags, names: readonly string[]): Promise<number> {
  const token = wholeNumber('--token', flags.token, 1, tokenMax);
  const [name = '', ...more] = names;
  if (token === undefined) throw usage('a release needs --token', `See the token with: skein lock show ${name}`);
  const { client } = await context.node();
  if (flags.force !== true) {
    const { released } = await client.locks.release({ names: [...names], token });
    if (!context.outJson('Released', { names, token, released })) context.note(`Released ${names.join(', ')}.`);
    return exitCodes.done;
  }
  if (flags.reason === undefined || more.length > 0) {
    throw usage(
      'taking a lock from its holder needs --force, --token and --reason, one lock at a time',
      `Its holder may still be working. See skein lock list, then: skein lock release ${name} --force --token N --reason TEXT`,
    );
  }
  const { released } = await client.locks.forceRelease({ name, token, reason: flags.reason });
  if (!context.outJson('Released', { name, token, released }))
    context.note(`Released “${name}” from its holder with token ${token}.`);
  return exitCodes.done;
}

async function downgrade(
  context: CliContext,
  flags: { readonly token?: string },
  asked: string | undefined,
): Promise<number> {
  const name = asked ?? context.world.env['SKEIN_LOCK'];
  const token = wholeNumber('--token', flags.token ?? context.world.env['SKEIN_FENCING_TOKEN'], 1, tokenMax);
  if (name === undefined || token === undefined)
    throw usage('which lock, with which token?', 'Run it inside “skein lock NAME -- COMMAND…”, or name both.');
  const { client } = await context.node();
  const { downgraded } = await client.locks.downgrade({ name, token });
  if (!context.outJson('Downgraded', { name, token, downgraded }))
    context.note(`“${name}” is shared now: others may read along.`);
  return exitCodes.done;
}
