import type { Command } from 'commander';
import type { SkeinClient } from '../../../../shared/contract/client.ts';
import type { CliContext } from '../cli-context.ts';
import type { Run } from '../command-action.ts';
import { ask, requireTerminal } from '../confirm.ts';
import { exitCodes } from '../exit-codes.ts';
import { tableLines } from '../table.ts';

interface RecoverFlags {
  readonly abandon?: readonly string[];
  readonly yes?: boolean;
}

interface ReviewFlags {
  readonly done?: boolean;
}

type Plan = Awaited<ReturnType<SkeinClient['swarm']['recoverPlan']>>;

/** Going on without a majority of the voters, and looking through what that left behind. */
export function addRecoverCommand(program: Command, run: Run): void {
  const recover = program
    .command('recover')
    .description('go on without voters that are gone for good: a new quorum, forced by an admin')
    .option('--abandon <name...>', 'the voters to give up; without it, only shows what would happen')
    .option('-y, --yes', 'do not ask: the names given are confirmation enough')
    .action(run((context, flags: RecoverFlags) => recoverSwarm(context, flags)));
  recover
    .command('review')
    .description('requests this machine had that the swarm went on without')
    .option('--done', 'all of them have been looked through: keep them no longer')
    .action(run((context, flags: ReviewFlags) => review(context, flags)));
}

async function recoverSwarm(context: CliContext, flags: RecoverFlags): Promise<number> {
  const { client } = await context.node();
  const plan = await client.swarm.recoverPlan();
  const names = flags.abandon ?? [];
  if (names.length === 0) {
    if (!context.outJson('RecoveryPlan', plan)) showPlan(context, plan);
    return plan.obstacle === null ? exitCodes.done : exitCodes.preconditionFailed;
  }
  if (flags.yes !== true && !(await confirmed(context, plan))) {
    context.note('Nothing was changed.');
    return exitCodes.interrupted;
  }
  const opened = await client.swarm.recover({ abandon: [...names] });
  if (context.outJson('Recovery', opened)) return exitCodes.done;
  const voters = opened.voters.map(({ name }) => name).join(', ');
  context.note(`The swarm goes on in epoch ${opened.epoch}, from entry ${opened.from}. Voters: ${voters}.`);
  context.note('A machine that comes back takes over this log; what only it had: skein recover review, there.');
  return exitCodes.done;
}

function showPlan(context: CliContext, plan: Plan): void {
  const rows = plan.survivors.map((machine) => [
    machine.node.name,
    String(machine.epoch),
    String(machine.config),
    String(machine.committed),
    String(machine.votedThrough),
  ]);
  const headers = ['CAN BE REACHED', 'EPOCH', 'CONFIG', 'ENTRIES', 'VOTED THROUGH'];
  for (const line of tableLines(headers, rows, { paint: context.paint, headers: true, columns: null }))
    context.out(line);
  if (plan.obstacle !== null) {
    context.note(plan.obstacle);
    return;
  }
  const names = plan.abandon.map(({ name }) => name);
  context.note(
    `Voters that cannot be reached: ${names.join(', ')}. Best wake them: then nothing needs to be recovered.`,
  );
  context.note(plan.warning);
  context.note(`If they are gone for good: skein recover --abandon ${names.map((name) => quoted(name)).join(' ')}`);
}

const quoted = (name: string): string => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name));

/** The names are typed once more by a person; a script says --yes. */
async function confirmed(context: CliContext, plan: Plan): Promise<boolean> {
  requireTerminal(context, 'Give --yes with --abandon NAME… in a script.');
  context.note(plan.warning);
  const expected = plan.abandon.map(({ name }) => name).join(' ');
  const typed = await ask(context, `Type the names of the machines to give up (${expected}): `);
  return typed.split(/\s+/).sort().join(' ') === expected.split(/\s+/).sort().join(' ');
}

async function review(context: CliContext, flags: ReviewFlags): Promise<number> {
  const { client } = await context.node();
  const { items } = await client.swarm.recoverReview({ done: flags.done === true });
  if (context.outJson('RecoveryReview', { items })) return exitCodes.done;
  if (items.length === 0) context.note('Nothing is left to look through.');
  const rows = items.map(({ epoch, by, what }) => [String(epoch), by.name, what]);
  const options = { paint: context.paint, headers: rows.length > 0, columns: null };
  for (const line of tableLines(['EPOCH', 'FROM', 'WHAT'], rows, options)) context.out(line);
  if (flags.done === true) context.note('They are kept no longer.');
  else if (items.length > 0)
    context.note(
      'None of this has taken effect in the swarm. Ask again for what is still wanted, then: skein recover review --done',
    );
  return exitCodes.done;
}
