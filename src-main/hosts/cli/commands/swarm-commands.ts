import type { Command } from 'commander';
import { joinSwarm, type SkeinClient } from '../../../../shared/contract/client.ts';
import { isOnlyThisMachine } from '../../../../shared/domain/address.ts';
import { roles } from '../../../../shared/domain/member.ts';
import { usage, type CliContext } from '../cli-context.ts';
import { ask, canAsk, isYes, requireTerminal } from '../confirm.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Run } from '../command-action.ts';
import { tableLines } from '../table.ts';
import { spanWords } from '../words.ts';

const requestsEveryMs = 500;

/** Founding a swarm, letting machines in, leaving. */
export function addSwarmCommands(program: Command, run: Run): void {
  program
    .command('init')
    .argument('<name>', 'what the swarm is called')
    .description('found a swarm with this machine')
    .action(run((context, _flags, name: string) => init(context, name)));
  program
    .command('invite')
    .description('make a one-time invitation and print its link')
    .option('--role <role>', `what the new machine may do: ${roles.join(', ')}`)
    .option('--ttl <duration>', 'how long it can be used (default 10m)')
    .option('-y, --yes', 'admit whoever brings the link, without asking')
    .action(run((context, flags: InviteFlags) => invite(context, flags)));
  program
    .command('join')
    .argument('<link>', 'skein://join/…')
    .description('join a swarm with an invitation')
    .action(run((context, _flags, link: string) => join(context, link)));
  program
    .command('leave')
    .description('leave the swarm')
    .option('-y, --yes', 'do not ask')
    .action(run((context, flags: LeaveFlags) => leave(context, flags)));
  program.command('requests').description('machines that ask to be let in').action(run(requests));
  for (const verb of ['approve', 'deny'] as const) {
    program
      .command(verb)
      .argument('<id>', 'from skein requests')
      .description(verb === 'approve' ? 'let a machine in' : 'turn a machine away')
      .action(run((context, _flags, id: string) => decide(context, id, verb === 'approve')));
  }
}

async function init(context: CliContext, name: string): Promise<number> {
  const { client } = await context.node();
  const swarm = await client.swarm.create({ name });
  if (context.outJson('Swarm', swarm)) return exitCodes.done;
  context.out(swarm.id);
  context.note(`Founded the swarm “${swarm.name}”. Next: skein invite, and skein accept commands --from everyone`);
  const { self } = (await client.swarm.overview()).view;
  context.note(`Is this machine always on? Then make it the home base: skein peer pin ${self.name} home-base`);
  return exitCodes.done;
}

interface InviteFlags {
  readonly role?: string;
  readonly ttl?: string;
  readonly yes?: boolean;
}

async function invite(context: CliContext, flags: InviteFlags): Promise<number> {
  const role = flags.role === undefined ? 'worker' : roles.find((known) => known === flags.role);
  if (role === undefined) throw usage(`--role cannot be “${flags.role ?? ''}”`, `Give one of ${roles.join(', ')}.`);
  const ttlMs = parseDuration(flags.ttl ?? '10m', '--ttl');
  const { client } = await context.node();
  const invitation = await client.swarm.invite({ role, ttlMs, autoApprove: flags.yes === true });
  if (!context.outJson('Invitation', invitation)) context.out(invitation.link);
  context.note(`For one machine, as ${role}, for ${spanWords(ttlMs)}. There: skein join LINK`);
  if (isOnlyThisMachine(invitation.addresses))
    context.note(
      'Only programs on this machine can use it: the machine is on no network now, or listens to itself alone.',
    );
  if (flags.yes === true) return exitCodes.done;
  if (canAsk(context) && context.format === 'table') return askUntilDecided(context, client, invitation.expiresAt);
  context.note('When it asks: skein requests, then skein approve ID or skein deny ID');
  return exitCodes.done;
}

/** Waits for the invited machine to ask, shows its words and takes the answer. Ctrl+C leaves the invitation standing. */
async function askUntilDecided(context: CliContext, client: SkeinClient, expiresAt: number): Promise<number> {
  context.note('Waiting for it to ask…');
  while (context.world.wall() < expiresAt) {
    const [request] = await client.swarm.requests();
    if (request === undefined) {
      await new Promise((resolve) => setTimeout(resolve, requestsEveryMs));
      continue;
    }
    const question = `“${request.name}” (${request.os}) asks to join as ${request.role}. Its screen shows: ${request.words.join(' ')}. Admit it? [y/N] `;
    return decide(context, request.id, isYes(await ask(context, question)));
  }
  context.note('Nobody asked in time. Make another invitation: skein invite');
  return exitCodes.timedOut;
}

async function join(context: CliContext, link: string): Promise<number> {
  const { client } = await context.node();
  context.note('Asking to join; the inviting side may have to say yes…');
  const joined = await joinSwarm(client, link, (words) =>
    context.note(`The inviting screen must show the same words: ${context.paint('strong', words.join(' '))}`),
  );
  if (context.outJson('Membership', joined)) return exitCodes.done;
  context.out(joined.id);
  context.note(
    `Joined the swarm “${joined.name}” as ${joined.role}. Next: skein status, and skein accept commands --from everyone to run work for others`,
  );
  return exitCodes.done;
}

interface LeaveFlags {
  readonly yes?: boolean;
}

async function leave(context: CliContext, { yes = false }: LeaveFlags): Promise<number> {
  const { client } = await context.node();
  const { swarm, members } = (await client.swarm.overview()).view;
  if (swarm !== null && !yes) {
    requireTerminal(context, 'Give --yes in a script.');
    const consequence =
      members.total > 1
        ? 'It needs a new invitation to come back, and results that are not here yet do not come.'
        : 'It is the last machine: nobody can join this swarm again.';
    if (!isYes(await ask(context, `Leave “${swarm.name}”? ${consequence} [y/N] `))) {
      context.note('Nothing was changed.');
      return exitCodes.interrupted;
    }
  }
  const { left } = await client.swarm.leave();
  if (!context.outJson('Left', { left }))
    context.note(left ? 'This machine has left the swarm.' : 'This machine is in no swarm.');
  return exitCodes.done;
}

async function requests(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const waiting = await client.swarm.requests();
  if (context.outJson('RequestList', { items: waiting })) return exitCodes.done;
  if (context.format === 'name') {
    for (const { id } of waiting) context.out(id);
    return exitCodes.done;
  }
  if (waiting.length === 0) context.note('No machine asks to be let in.');
  const rows = waiting.map(({ id, name, os, role, words }) => [id, name, os, role, words.join(' ')]);
  for (const line of tableLines(['ID', 'NAME', 'SYSTEM', 'ROLE', 'WORDS'], rows, {
    paint: context.paint,
    headers: rows.length > 0,
    columns: null,
  }))
    context.out(line);
  return exitCodes.done;
}

async function decide(context: CliContext, id: string, admit: boolean): Promise<number> {
  const { client } = await context.node();
  const { decided } = await client.swarm.decide({ id, admit });
  if (!context.outJson('Decision', { id, admit, decided })) context.note(admit ? 'Admitted.' : 'Turned away.');
  return exitCodes.done;
}
