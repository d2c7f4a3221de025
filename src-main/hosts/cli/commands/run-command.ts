import type { Command } from 'commander';
import { runAttached } from '../attached-run.ts';
import type { CliContext } from '../cli-context.ts';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';
import type { Run } from '../command-action.ts';
import { printFailure } from '../failure-output.ts';
import { addTaskFlags, submissionOf, type SubmissionFlags } from '../submission-flags.ts';

export function addRunCommand(program: Command, run: Run): void {
  addTaskFlags(
    program.command('run').description('run one command in the swarm, with its output here and its exit code'),
  )
    .usage('[options] -- COMMAND…')
    .action(run((context, flags: SubmissionFlags) => runCommand(context, flags)));
}

async function runCommand(context: CliContext, flags: SubmissionFlags): Promise<number> {
  const submission = await submissionOf(context, flags);
  try {
    return await runAttached(context, submission);
  } catch (error) {
    // The codes below 125 belong to the program, so that scripts can tell its failures from ours.
    const failure = context.failureOf(error);
    printFailure(context.world, failure, context.format === 'json');
    const code = exitCodeOf(failure);
    return code === exitCodes.usage || code === exitCodes.interrupted ? code : exitCodes.runBroken;
  }
}
