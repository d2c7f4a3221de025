import type { Command } from 'commander';
import type { ConsensusView, ReplicaView } from '../../../../shared/contract/consensus.ts';
import { noteProvenance, type CliContext } from '../cli-context.ts';
import type { Run } from '../command-action.ts';
import { exitCodes } from '../exit-codes.ts';
import { documentOf, provenanceFields } from '../json-output.ts';
import { wholeNumber } from '../submission-flags.ts';
import { tableLines } from '../table.ts';
import { agoWords, bytesWords, spanWords } from '../words.ts';

const eventsShown = 8;

/** How the machines agree on one log: for people who want to see it, and for those who must find out what is wrong. */
export function addConsensusCommands(program: Command, run: Run): void {
  const group = program.command('consensus').description('how the machines agree: ballot, voters, log');
  group
    .command('status')
    .description('ballot, configuration, what may fail, and who coordinated why')
    .action(run(status));
  group
    .command('members')
    .alias('ls')
    .description('voters and learners: how far each is, and how fast its disk is')
    .action(run(members));
  group
    .command('log')
    .description('the latest entries that took effect here')
    .option('-n, --last <n>', 'how many (default 50)')
    .option('-f, --follow', 'go on as they come')
    .action(
      run((context, flags: { last?: string; follow?: boolean }) =>
        flags.follow === true ? followLog(context) : log(context, flags.last),
      ),
    );
}

async function status(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const frame = await client.consensus.status();
  if (context.outJson('Consensus', { ...provenanceFields(frame, context.world.wall()), ...frame.view }))
    return exitCodes.done;
  noteProvenance(context, frame);
  for (const line of statusLines(context, frame.view)) context.out(line);
  return exitCodes.done;
}

function statusLines(context: CliContext, view: ConsensusView): string[] {
  const now = context.world.wall();
  const { coordinator, ballot, config, quorum, log, sync } = view;
  const paint = (name: string): string => context.paint('quiet', name);
  const rows = [
    [
      'coordinator',
      coordinator === null
        ? '—'
        : `${coordinator.node.name} for ${spanWords(now - coordinator.since)}: ${coordinator.reason}`,
    ],
    [
      'ballot',
      ballot === null
        ? '—'
        : `epoch ${ballot.epoch}, config ${ballot.config}, round ${ballot.round}, rank ${ballot.rank}, by ${ballot.voter.name}`,
    ],
    ['voters', config === null ? '—' : `${config.voters} in configuration ${config.id}, from slot ${config.firstSlot}`],
    ['may fail', quorum.words],
    ['log', `decided to ${log.committed}, applied here to ${log.applied}, ${bytesWords(log.journalBytes)} of journal`],
    ['snapshot', log.snapshot === null ? 'none yet' : `up to slot ${log.snapshot.slot}`],
    ['compared', log.comparedSlot === null ? 'not yet' : `log and state with the others, at slot ${log.comparedSlot}`],
    [
      'disk',
      sync === null
        ? '—'
        : `${millis(sync.p50Ms)} to keep a write, 99 % within ${millis(sync.p99Ms)}, worst ${millis(sync.worstMs)}`,
    ],
  ].map(([name = '', value = '']) => [paint(name), value]);
  const lines = tableLines(['', ''], rows, { paint: context.paint, headers: false, columns: null });
  if (log.singleCopies !== null)
    lines.push(
      context.paint('warn', `1 copy: ${log.singleCopies.count} entries from slot ${log.singleCopies.firstSlot} on`),
    );
  for (const { text, reason } of view.divergences) lines.push(context.paint('bad', `${text}: ${reason}`));
  for (const wait of view.waits) lines.push(context.paint('warn', wait));
  for (const event of view.history.slice(0, eventsShown))
    lines.push(`${paint(agoWords(event.at, now))}  ${event.text}: ${event.reason}`);
  return lines;
}

async function members(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const frame = await client.consensus.status();
  const { replicas } = frame.view;
  context.list('ReplicaList', frame, replicas, {
    headers: ['NAME', 'PART', 'REACHED', 'LOG TO', 'BEHIND', 'DISK P50', 'DISK P99', 'RTT', 'RANK', 'PIN', 'SEAT'],
    rows: replicas.map((replica) => replicaRow(context, replica)),
    names: replicas.map((replica) => replica.node.name),
    empty: 'Nobody keeps a log here yet.',
  });
  return exitCodes.done;
}

function replicaRow(context: CliContext, replica: ReplicaView): string[] {
  const orDash = (value: number | null): string => (value === null ? '—' : String(value));
  return [
    replica.node.name,
    replica.coordinator ? 'coordinator' : replica.voter ? 'voter' : 'learner',
    context.paint(replica.reachable ? 'good' : 'bad', replica.reachable ? 'yes' : 'no'),
    orDash(replica.committed),
    orDash(replica.lagEntries),
    replica.sync === null ? '—' : millis(replica.sync.p50Ms),
    replica.sync === null ? '—' : millis(replica.sync.p99Ms),
    replica.self ? 'here' : replica.roundTripMs === null ? '—' : millis(replica.roundTripMs),
    orDash(replica.rank),
    replica.pin === 'none' ? '—' : replica.pin,
    replica.incarnation?.slice(0, 8) ?? '—',
  ];
}

async function log(context: CliContext, last: string | undefined): Promise<number> {
  const limit = wholeNumber('--last', last, 1, 500) ?? 50;
  const { client } = await context.node();
  const frame = await client.consensus.log({ limit });
  const entries = [...frame.view.entries].reverse();
  context.list('LogEntryList', frame, entries, {
    headers: ['SLOT', 'WHEN', 'BY', 'COMMAND', 'ABOUT', 'ANSWER'],
    rows: entries.map((entry) => entryRow(context, entry)),
    names: entries.map((entry) => String(entry.slot)),
    empty: 'Nothing has taken effect since this node started.',
  });
  return exitCodes.done;
}

type Entry = ConsensusLog['entries'][number];
type ConsensusLog = Awaited<ReturnType<Awaited<ReturnType<CliContext['node']>>['client']['consensus']['log']>>['view'];

function entryRow(context: CliContext, entry: Entry): string[] {
  const when = agoWords(entry.at, context.world.wall());
  const outcome = entry.refused ? context.paint('bad', entry.outcome) : entry.outcome === '' ? 'done' : entry.outcome;
  return [String(entry.slot), when, entry.node?.name ?? '—', entry.type, entry.text, outcome];
}

/** One line an entry, as they take effect, until Ctrl+C. */
async function followLog(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const leaving = new AbortController();
  const unhook = context.world.onInterrupt(() => leaving.abort());
  let shown = 0;
  try {
    for await (const frame of await client.consensus.watchLog({ limit: 200 }, { signal: leaving.signal })) {
      const fresh = frame.view.entries.filter((entry) => entry.slot > shown).reverse();
      for (const entry of fresh)
        context.out(context.format === 'json' ? documentOf('LogEntry', entry) : entryRow(context, entry).join('  '));
      shown = fresh.at(-1)?.slot ?? shown;
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    unhook();
  }
  return leaving.signal.aborted ? exitCodes.interrupted : exitCodes.unavailable;
}

/** Disks answer within fractions of a millisecond. */
const millis = (ms: number): string => (ms < 10 ? `${ms.toFixed(2)} ms` : spanWords(ms));
