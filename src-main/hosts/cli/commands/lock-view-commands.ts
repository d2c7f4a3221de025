import type { Command } from 'commander';
import type { Lock } from '../../../../shared/contract/locks.ts';
import type { CliContext } from '../cli-context.ts';
import { noteProvenance } from '../cli-context.ts';
import type { Run } from '../command-action.ts';
import { exitCodes } from '../exit-codes.ts';
import { provenanceFields } from '../json-output.ts';
import { tableLines } from '../table.ts';
import { agoWords, spanWords } from '../words.ts';

/** Looking at locks. */
export function addLockViewCommands(lock: Command, run: Run): void {
  lock.command('list').alias('ls').description('list locks').action(run(list));
  lock.command('show').argument('<name>').description('holders, line and latest holders of one lock').action(run(show));
  lock.command('history').argument('<name>').description('who held it, newest first').action(run(history));
}

async function list(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const frame = await client.locks.list();
  const { locks } = frame.view;
  context.list('LockList', frame, locks, {
    headers: ['NAME', 'STATE', 'HOLDER', 'TOKEN', 'LEASE LEFT', 'WAITERS', 'FOR'],
    rows: locks.map((lock) => [
      lock.name,
      context.paint(toneOf(lock), lock.state),
      holderWords(lock),
      lock.holder === null ? '—' : String(lock.holder.token),
      lock.holder === null || lock.holder.leaseLeftMs === null ? '—' : spanWords(lock.holder.leaseLeftMs),
      String(lock.waiters.length),
      lock.holder === null ? '' : lock.holder.label === '' ? lock.holder.owner : lock.holder.label,
    ]),
    names: locks.map(({ name }) => name),
    empty: 'No locks are held. Work under one: skein lock NAME -- COMMAND…',
  });
  return exitCodes.done;
}

const toneOf = ({ state }: Lock): 'warn' | 'busy' | 'quiet' =>
  state === 'uncertain' ? 'warn' : state === 'free' ? 'quiet' : 'busy';

function holderWords({ holder, holders, permits }: Lock): string {
  if (holder === null) return '—';
  const many =
    permits !== null ? ` (${holders.length} of ${permits})` : holders.length > 1 ? ` +${holders.length - 1}` : '';
  return `${holder.node.name}${holder.reachable ? '' : ' (unreachable)'}${many}`;
}

async function show(context: CliContext, _flags: object, name: string): Promise<number> {
  const { client } = await context.node();
  const frame = await client.locks.show({ name });
  const lock = frame.view;
  const now = context.world.wall();
  if (context.outJson('Lock', { ...provenanceFields(frame, now), ...lock })) return exitCodes.done;
  noteProvenance(context, frame);
  context.out(`${lock.name}: ${lock.state}${lock.permits === null ? '' : `, a semaphore of ${lock.permits}`}`);
  for (const holder of lock.holders) {
    const lease = holder.keeps
      ? 'until it is released'
      : holder.leaseLeftMs === null
        ? 'lease unknown'
        : `${spanWords(holder.leaseLeftMs)} of lease left`;
    context.out(
      `held by ${holder.node.name} (${holder.mode}) with token ${holder.token} for ${spanWords(now - holder.since)}, ${lease}: ${holder.label}`,
    );
  }
  for (const delay of lock.delays) {
    const left = delay.leftMs === null ? `at most ${spanWords(delay.delayMs)}` : spanWords(delay.leftMs);
    context.out(`lost by ${delay.node.name} (token ${delay.token}): nobody takes its place for ${left}`);
  }
  lock.waiters.forEach((waiter, at) => {
    const together = waiter.names.length > 1 ? `, with ${waiter.names.join(' and ')}` : '';
    context.out(
      `${at + 1}. ${waiter.node.name} (${waiter.mode}${together}) waits for ${spanWords(now - waiter.since)}: ${waiter.label}`,
    );
  });
  return exitCodes.done;
}

async function history(context: CliContext, _flags: object, name: string): Promise<number> {
  const { client } = await context.node();
  const frame = await client.locks.show({ name });
  const { history: tenures } = frame.view;
  const now = context.world.wall();
  if (context.outJson('LockHistory', { ...provenanceFields(frame, now), name, items: tenures })) return exitCodes.done;
  noteProvenance(context, frame);
  const rows = tenures.map((tenure) => [
    String(tenure.token),
    tenure.node.name,
    tenure.mode,
    agoWords(tenure.grantedAt, now),
    tenure.endedAt === null ? '—' : spanWords(tenure.endedAt - tenure.grantedAt),
    tenure.endedAt === null ? 'holds it' : `${tenure.cause}${tenure.remark === '' ? '' : ` ${tenure.remark}`}`,
  ]);
  const headers = ['TOKEN', 'MACHINE', 'AS', 'GRANTED', 'HELD FOR', 'ENDED'];
  for (const line of tableLines(headers, rows, { paint: context.paint, headers: true, columns: null }))
    context.out(line);
  return exitCodes.done;
}
