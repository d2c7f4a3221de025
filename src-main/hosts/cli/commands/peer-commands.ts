import type { Command } from 'commander';
import type { SkeinClient } from '../../../../shared/contract/client.ts';
import type { Peer } from '../../../../shared/contract/peers.ts';
import { FailureError } from '../../../../shared/domain/failure.ts';
import { coordinationPins, type CoordinationPin } from '../../../../shared/domain/member.ts';
import { usage, type CliContext } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Run } from '../command-action.ts';
import { wholeNumber } from '../submission-flags.ts';
import { spanWords } from '../words.ts';

/** The other machines, and what this one does for them. */
export function addPeerCommands(program: Command, run: Run): void {
  const peer = program.command('peer').description('the machines of the swarm');
  peer.command('list').alias('ls').description('list machines').action(run(list));
  peer
    .command('ping')
    .argument('<machine>', 'name or id')
    .description('how long an answer takes')
    .action(run((context, _flags, machine: string) => ping(context, machine)));
  peer
    .command('revoke')
    .argument('<machine>', 'name or id')
    .description('sign that a machine no longer belongs')
    .requiredOption('--reason <text>', 'why, for others to read')
    .action(run((context, flags: { reason: string }, machine: string) => revoke(context, machine, flags.reason)));
  peer
    .command('pin')
    .argument('<machine>', 'name or id')
    .argument('<what>', coordinationPins.join(', '))
    .description('say which machine decides for all: the one that is always on')
    .addHelpText('after', pinHelp)
    .action(run((context, _flags, machine: string, what: string) => pin(context, machine, what)));
  program
    .command('accept')
    .argument('<what>', 'commands or nothing')
    .description('what this machine runs for others')
    .option('--from <who...>', 'everyone, or names of machines')
    .option('--slots <n>', 'tasks to run at the same time')
    .action(run((context, flags: { from?: string[]; slots?: string }, what: string) => accept(context, flags, what)));
  program
    .command('pause')
    .argument('[duration]', 'such as 15m or 2h; without it, until skein resume')
    .description('take no new tasks on this machine; those that run go on')
    .action(run((context, _flags, duration?: string) => pause(context, duration)));
  program.command('resume').description('take tasks on this machine again').action(run(resume));
}

const pinHelp = `
  home-base         it decides whenever it can, alone when too few others are awake: for a machine that is always on
  never-coordinate  it decides only when nobody else is there: for a machine that sleeps much or has a slow disk
  none              as everybody has seen it come and go
`;

const pinWords: Readonly<Record<CoordinationPin, string>> = {
  'home-base': 'is the home base: it decides whenever it is on. Keep it on',
  'never-coordinate': 'decides only when nobody else is there',
  none: 'decides as often as it has been here',
};

async function list(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const frame = await client.peers.list();
  const { peers } = frame.view;
  context.list('PeerList', frame, peers, {
    headers: ['NAME', 'STATE', 'ROLE', 'PART', 'PIN', 'SLOTS', 'LOAD', 'RTT', 'VERSION', 'ACCEPTS', 'ID'],
    rows: peers.map((peer) => peerRow(context, peer)),
    names: peers.map((peer) => peer.name),
    empty: 'No machines. Found a swarm with skein init NAME, or join one with skein join LINK',
  });
  if (frame.view.versions !== null) context.note(frame.view.versions.words);
  return exitCodes.done;
}

function peerRow(context: CliContext, peer: Peer): string[] {
  const now = context.world.wall();
  const tone = peer.state === 'online' ? 'good' : 'warn';
  const seen = peer.state === 'unreachable' && peer.lastSeen !== null ? ` ${spanWords(now - peer.lastSeen)}` : '';
  const part = peer.coordinator ? 'coordinator' : peer.voter ? 'voter' : 'learner';
  return [
    `${peer.name}${peer.self ? ' (here)' : ''}`,
    context.paint(tone, `${peer.state === 'online' ? '●' : '○'} ${peer.state}${seen}`),
    peer.role,
    part,
    peer.pin === 'none' ? '—' : peer.pin,
    peer.slots === null ? '—' : `${peer.running}/${peer.slots}`,
    peer.load === null ? '—' : `${Math.round(peer.load * 100)} %`,
    peer.self ? '—' : peer.rttMs === null ? '—' : `${peer.rttMs.toFixed(1)} ms`,
    peer.version === '' ? '—' : peer.version,
    peer.accepts,
    peer.id,
  ];
}

async function ping(context: CliContext, machine: string): Promise<number> {
  const { client } = await context.node();
  const id = await machineId(client, machine);
  const { rttMs } = await client.peers.ping({ id });
  if (!context.outJson('Ping', { id, rttMs })) context.out(`${machine}: ${rttMs.toFixed(1)} ms`);
  return exitCodes.done;
}

async function pin(context: CliContext, machine: string, what: string): Promise<number> {
  const wanted = coordinationPins.find((known) => known === what);
  if (wanted === undefined)
    throw usage(`a machine cannot be pinned as “${what}”`, `Give one of ${coordinationPins.join(', ')}.`);
  const { client } = await context.node();
  const id = await machineId(client, machine);
  await client.peers.pin({ id, pin: wanted });
  if (!context.outJson('Pin', { id, pin: wanted })) context.note(`${machine} ${pinWords[wanted]}.`);
  return exitCodes.done;
}

async function revoke(context: CliContext, machine: string, reason: string): Promise<number> {
  const { client } = await context.node();
  const member = await machineId(client, machine);
  const { revoked } = await client.swarm.revoke({ member, reason });
  if (!context.outJson('Revocation', { member, revoked })) context.note(`${machine} no longer belongs to the swarm.`);
  return exitCodes.done;
}

async function accept(context: CliContext, flags: { from?: string[]; slots?: string }, what: string): Promise<number> {
  const slots = wholeNumber('--slots', flags.slots, 0, 1_024);
  const { client } = await context.node();
  const accepts = await acceptsOf(client, what, flags.from ?? []);
  const policy = await client.policy.set({ accepts, ...(slots === undefined ? {} : { slots }) });
  if (context.outJson('Policy', policy)) return exitCodes.done;
  const from = accepts.from === 'listed' ? (flags.from ?? []).join(', ') : accepts.from;
  context.note(`This machine runs commands from: ${from}. Slots: ${policy.slots}.`);
  return exitCodes.done;
}

async function pause(context: CliContext, duration: string | undefined): Promise<number> {
  const forMs = duration === undefined || duration === 'forever' ? null : parseDuration(duration, 'the duration');
  const { client } = await context.node();
  const policy = await client.policy.pause({ forMs });
  if (context.outJson('Policy', policy)) return exitCodes.done;
  context.note(
    forMs === null
      ? 'This machine is paused. Next: skein resume'
      : `This machine is paused for ${spanWords(forMs)}. Sooner: skein resume`,
  );
  return exitCodes.done;
}

async function resume(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const policy = await client.policy.resume();
  if (!context.outJson('Policy', policy)) context.note(`This machine takes tasks again. Slots: ${policy.slots}.`);
  return exitCodes.done;
}

type Accepts = NonNullable<Parameters<SkeinClient['policy']['set']>[0]['accepts']>;

async function acceptsOf(client: SkeinClient, what: string, from: readonly string[]): Promise<Accepts> {
  if (what === 'nothing') return { from: 'nobody' };
  if (what !== 'commands')
    throw usage(`“${what}” cannot be accepted`, 'Say: skein accept commands --from everyone, or skein accept nothing');
  if (from.length === 0)
    throw usage('whose commands?', 'Say: skein accept commands --from everyone, or name machines after --from');
  if (from.includes('everyone')) return { from: 'everyone' };
  return { from: 'listed', members: await Promise.all(from.map((machine) => machineId(client, machine))) };
}

/** The id of a machine given by name, by id or by the beginning of its id. Throws `not-found` and lists who there is. */
async function machineId(client: SkeinClient, machine: string): Promise<string> {
  const { peers } = (await client.peers.list()).view;
  const found = peers.filter(({ id, name }) => id === machine || name === machine);
  const alike = found.length > 0 ? found : peers.filter(({ id }) => machine.length >= 6 && id.startsWith(machine));
  const [only] = alike;
  if (only !== undefined && alike.length === 1) return only.id;
  throw new FailureError({
    code: 'not-found',
    message:
      alike.length > 1
        ? `“${machine}” names ${alike.length} machines`
        : `there is no machine “${machine}” in this swarm`,
    hint: `There are: ${peers
      .slice(0, 10)
      .map(({ name }) => name)
      .join(', ')}. See: skein peer list`,
  });
}
