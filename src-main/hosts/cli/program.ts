import { Command, CommanderError, Option } from 'commander';
import { FailureError, type Failure } from '../../../shared/domain/failure.ts';
import { homeFolder } from '../home-folder.ts';
import {
  createContext,
  outputFormats,
  usage,
  type CliContext,
  type OutputFormat,
  type Surroundings,
} from './cli-context.ts';
import { addConsensusCommands } from './commands/consensus-commands.ts';
import { addDaemonCommands } from './commands/daemon-commands.ts';
import { addHelpCommands } from './commands/help-commands.ts';
import { addKvCommands } from './commands/kv-commands.ts';
import { addLockCommands } from './commands/lock-commands.ts';
import { addPeerCommands } from './commands/peer-commands.ts';
import { addRunCommand } from './commands/run-command.ts';
import { addStatusCommand } from './commands/status-command.ts';
import { addRecoverCommand } from './commands/recover-command.ts';
import { addSwarmCommands } from './commands/swarm-commands.ts';
import { addTaskCommands } from './commands/task-commands.ts';
import type { Run } from './command-action.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { printFailure } from './failure-output.ts';
import { nearest } from './nearest-command.ts';
import { choosePaint } from './style.ts';

interface GlobalFlags {
  readonly home?: string;
  readonly json?: boolean;
  readonly format?: string;
  readonly headers?: boolean;
}

/** Runs one command line and answers with its exit code. Never throws. */
export async function runCli(world: Surroundings): Promise<number> {
  const { before, command } = splitAtDashes(world.argv);
  let exitCode: number = exitCodes.done;
  let context: CliContext | null = null;
  const program = createProgram(world);
  const run: Run =
    (action) =>
    async (...args) => {
      const owner = args.at(-1) as Command;
      context = createContext(world, { ...contextOptions(world, program.opts<GlobalFlags>()), command });
      type Action = (context: CliContext, flags: object, ...rest: unknown[]) => Promise<number>;
      exitCode = await (action as unknown as Action)(context, owner.opts(), ...args.slice(0, -2));
    };
  addRunCommand(program, run);
  addTaskCommands(program, run);
  addStatusCommand(program, run);
  addSwarmCommands(program, run);
  addRecoverCommand(program, run);
  addPeerCommands(program, run);
  addLockCommands(program, run);
  addKvCommands(program, run);
  addConsensusCommands(program, run);
  addDaemonCommands(program, run);
  addHelpCommands(program, run);
  inheritBehaviour(program);
  try {
    await program.parseAsync([...before], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    // A group without a verb has printed its help already.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage;
    const failure = failureFrom(error, context);
    printFailure(world, failure, wantsJson(before));
    return exitCodeOf(failure);
  } finally {
    (context as CliContext | null)?.close();
  }
}

/** Everything after the first `--` is the command to run, untouched. */
function splitAtDashes(argv: readonly string[]): { before: readonly string[]; command: readonly string[] | null } {
  const at = argv.indexOf('--');
  return at < 0 ? { before: argv, command: null } : { before: argv.slice(0, at), command: argv.slice(at + 1) };
}

function createProgram(world: Surroundings): Command {
  const program = new Command('skein');
  program
    .description('Share work across the machines you already own.')
    .usage('COMMAND [options]')
    .option('--home <dir>', 'the node’s folder (or SKEIN_HOME)')
    .option('--json', 'print JSON: one document, or one a line')
    .addOption(new Option('-o, --format <format>', 'how to print').choices([...outputFormats]))
    .option('--no-headers', 'tables without their first line')
    .helpCommand(false)
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      // Printed in one place, in our own words, as text or as JSON.
      outputError: () => undefined,
      getOutHelpWidth: () => world.stdout.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  program.argument('[command]').allowExcessArguments();
  program.action((word: string | undefined) => {
    if (word !== undefined) throw usage(`there is no command “${word}”`, nearest(program, word));
    program.outputHelp();
  });
  return program;
}

/** Commands made afterwards do not take over these by themselves. */
function inheritBehaviour(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent).helpCommand(false);
    inheritBehaviour(child);
  }
}

function contextOptions(world: Surroundings, flags: GlobalFlags) {
  const asked = outputFormats.find((known) => known === flags.format);
  const format: OutputFormat = flags.json === true ? 'json' : (asked ?? 'table');
  return {
    home: homeFolder(flags.home, world.env),
    format,
    headers: flags.headers !== false,
    paint: choosePaint(world.env, world.stdout.isTTY === true && format === 'table'),
  };
}

function failureFrom(error: unknown, context: CliContext | null): Failure {
  if (error instanceof FailureError) return error.failure;
  if (error instanceof CommanderError) {
    const [what = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
    const hint = rest.join(' ').replace(/^\(|\)$/g, '');
    return { code: 'bad-input', message: what, hint: hint === '' ? 'See: skein help' : hint };
  }
  if (context !== null) return context.failureOf(error);
  return { code: 'internal', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** Asked before the flags could be read, so that a wrong flag is reported in the form wanted too. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, at) =>
      word === '--json' ||
      word === '-ojson' ||
      word === '--format=json' ||
      (word === 'json' && (argv[at - 1] === '-o' || argv[at - 1] === '--format')),
  );
}
