import type { Command } from 'commander';
import { contractVersion } from '../../../../shared/contract/contract.ts';
import { usage, type CliContext } from '../cli-context.ts';
import { exitCodes, exitCodesHelp } from '../exit-codes.ts';
import type { Run } from '../command-action.ts';
import { nearest } from '../nearest-command.ts';
import { skeinVersion } from '../version.ts';

export function addHelpCommands(program: Command, run: Run): void {
  program
    .command('help')
    .argument('[topic...]', 'a command, or exit-codes')
    .description('help about a command; skein help exit-codes lists the exit codes')
    .action(run((context, _flags, topic: string[]) => help(context, program, topic)));
  program.command('version').description('the version of this program').action(run(version));
  program
    .command('completion')
    .argument('<shell>', 'bash')
    .description('print a completion script: source <(skein completion bash)')
    .action(run((context, _flags, shell: string) => completion(context, program, shell)));
}

async function help(context: CliContext, program: Command, topic: readonly string[]): Promise<number> {
  if (topic[0] === 'exit-codes') {
    context.world.stdout.write(exitCodesHelp);
    return exitCodes.done;
  }
  let found = program;
  for (const word of topic) {
    const next = found.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (next === undefined) throw usage(`there is no command “${topic.join(' ')}”`, nearest(found, word));
    found = next;
  }
  found.outputHelp();
  return exitCodes.done;
}

async function version(context: CliContext): Promise<number> {
  const number = skeinVersion();
  if (!context.outJson('Version', { version: number, contract: contractVersion })) context.out(`skein ${number}`);
  return exitCodes.done;
}

async function completion(context: CliContext, program: Command, shell: string): Promise<number> {
  if (shell !== 'bash') throw usage(`there is no completion for “${shell}” yet`, 'Say: skein completion bash');
  const cases = program.commands.map((command) => {
    const words = [
      ...command.commands.map((child) => child.name()),
      ...command.options.map((option) => option.long ?? ''),
    ];
    return `    ${command.name()}) words="${words.join(' ')} --json --home" ;;`;
  });
  const names = program.commands.map((command) => command.name()).join(' ');
  context.world.stdout.write(`_skein() {
  local words="${names}"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${names}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _skein skein
`);
  return exitCodes.done;
}
