import type { Command } from 'commander';
import type { Overview } from '../../../../shared/contract/swarm.ts';
import { noteProvenance, type CliContext, type ViewFrame } from '../cli-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { documentOf, provenanceFields } from '../json-output.ts';
import type { Run } from '../command-action.ts';
import { tableLines } from '../table.ts';
import { countWords, spanWords } from '../words.ts';

export function addStatusCommand(program: Command, run: Run): void {
  program
    .command('status')
    .description('this machine and the swarm in ten lines')
    .option('-w, --watch', 'go on showing it')
    .action(run((context, flags: { watch?: boolean }) => (flags.watch === true ? watch(context) : once(context))));
}

async function once(context: CliContext): Promise<number> {
  const { client } = await context.node();
  print(context, await client.swarm.overview());
  return exitCodes.done;
}

async function watch(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const leaving = new AbortController();
  const unhook = context.world.onInterrupt(() => leaving.abort());
  const redraw = context.world.stdout.isTTY === true && context.format === 'table';
  let before = '';
  try {
    for await (const frame of await client.swarm.watch(undefined, { signal: leaving.signal })) {
      const lines = statusLines(context, frame.view);
      const text = lines.join('\n');
      if (text === before && context.format !== 'json') continue;
      before = text;
      if (redraw) context.world.stdout.write('\u001B[H\u001B[2J');
      print(context, frame);
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    unhook();
  }
  return leaving.signal.aborted ? exitCodes.interrupted : exitCodes.unavailable;
}

function print(context: CliContext, frame: ViewFrame<Overview>): void {
  if (context.format === 'json') {
    context.out(documentOf('Status', { ...provenanceFields(frame, context.world.wall()), ...frame.view }));
    return;
  }
  noteProvenance(context, frame);
  for (const line of statusLines(context, frame.view)) context.out(line);
}

/** One fact a line. What is unknown is shown as “—”, never as 0. */
export function statusLines(context: CliContext, view: Overview): string[] {
  const { self, swarm, coordinator, quorum, members, log, tasks, locks } = view;
  const now = context.world.wall();
  const tone = view.state === 'healthy' || view.state === 'alone' ? 'good' : 'warn';
  const rows: [string, string][] = [
    ['machine', `${self.name} (${self.role}), up ${spanWords(now - self.startedAt)}, skein ${view.version}`],
    [
      'swarm',
      swarm === null
        ? 'none yet: skein init NAME, or skein join LINK'
        : `${swarm.name} · ${context.paint(tone, view.state)}`,
    ],
    [
      'coordinator',
      coordinator === null
        ? '—'
        : `${coordinator.node.name} for ${spanWords(now - coordinator.since)}, ballot ${coordinator.ballot}`,
    ],
    [
      'voters',
      `${quorum.reachable} of ${quorum.voters.length} reachable, ${quorum.needed} needed, ${quorum.mayFail} may fail`,
    ],
    ['members', `${members.reachable} of ${members.total} reachable`],
    ...(view.versions === null ? [] : [['versions', view.versions.words] as [string, string]]),
    ['log', `${log.committed} committed, ${log.applied} applied here`],
    [
      'tasks',
      `${tasks.running} running, ${tasks.waiting} waiting, ${tasks.succeeded} succeeded, ${tasks.failed} failed`,
    ],
    ['slots', `${tasks.slotsUsed} of ${tasks.slotsTotal} in use, ${self.running} of ${self.slots} here`],
    ['locks', `${locks.held} held, ${countWords(locks.waiting, 'waiter')}`],
    ['home', self.home],
  ];
  const lines = tableLines(
    ['', ''],
    rows.map(([name, value]) => [context.paint('quiet', name), value]),
    { paint: context.paint, headers: false, columns: null },
  );
  if (view.message !== '') lines.push(context.paint('warn', view.message));
  if (view.insight !== '') lines.push(view.insight);
  return lines;
}
