/**
 * The comparison: three voters in three processes on this machine against three servers each of the systems people
 * trust today, side by side in one run. Rivals that are not installed are named with how to get them.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { coldStart, type ColdStart } from './cold-start.ts';
import type { Blow, Contestant, Missing } from './contestant.ts';
import { failovers, type FailoverResult } from './failover.ts';
import { note, round } from './measure.ts';
import { installClients } from './rivals/clients.ts';
import { etcdVersion, startEtcd } from './rivals/etcd.ts';
import { natsVersion, startNats } from './rivals/nats.ts';
import { killLiveServers } from './rivals/server-process.ts';
import { startZooKeeper, zooKeeperVersion } from './rivals/zookeeper.ts';
import { alternate, lockCycles, reads, writes, type Measured, type Plan, type Work } from './rows.ts';
import { builtNode, startSkein } from './skein.ts';
import { usage } from './usage.ts';
import { verdicts } from './verdicts.ts';
import { renderTable } from './table.ts';

export const rowNames = [
  'idle',
  'write-256',
  'write-1',
  'read-256',
  'read-1',
  'lock-16',
  'lock-1',
  'failover-kill',
  'failover-silent',
  'hand-over',
  'cold-start',
  'simulator',
] as const;
export type RowName = (typeof rowNames)[number];

export interface CoordinationOptions {
  readonly rows: readonly RowName[];
  readonly rivals: boolean;
  readonly plan: Plan;
  /** Trials of each kind of failover: own and of each rival. */
  readonly trials: number;
  readonly rivalTrials: number;
  readonly coldEntries: number;
  readonly simulatorSeeds: number;
}

export interface IdleUse {
  readonly cpuPercentEach: readonly number[];
  readonly rssMegabytesEach: readonly number[];
}

/** By contestant, or of Skein alone. What was not run is absent. */
export interface Results {
  rows: Partial<Record<RowName, Record<string, Measured>>>;
  failover: Partial<Record<Blow, Record<string, FailoverResult>>>;
  idle: Record<string, IdleUse>;
  coldStart?: ColdStart;
  simulatedHoursPerCoreHour?: number;
  failed: { readonly what: string; readonly why: string }[];
}

/** What came before is over by then: compiling, joining, the first rounds of everything. */
const calmMs = 20_000;
const idleMs = 20_000;

interface Rival {
  readonly name: string;
  readonly version: () => string | null;
  readonly start: (folder: string, version: string) => Promise<Contestant>;
  readonly missing: string;
}

const rivals: readonly Rival[] = [
  { name: 'etcd', version: etcdVersion, start: startEtcd, missing: 'apt-get install etcd-server (or etcd)' },
  { name: 'NATS JetStream', version: natsVersion, start: startNats, missing: 'apt-get install nats-server' },
  {
    name: 'ZooKeeper',
    version: zooKeeperVersion,
    start: startZooKeeper,
    missing: 'apt-get install zookeeper and a Java runtime',
  },
];

const workOf: Partial<Record<RowName, (contestant: Contestant) => Promise<Work | null>>> = {
  'write-1': writes(1),
  'write-256': writes(256),
  'lock-1': lockCycles(1, 'lock-one'),
  'lock-16': lockCycles(16, 'lock-many'),
  'read-1': reads(1),
  'read-256': reads(256),
};

const blowOf: Partial<Record<RowName, Blow>> = {
  'failover-kill': 'SIGKILL',
  'failover-silent': 'SIGSTOP',
  'hand-over': 'SIGTERM',
};

/** Runs the rows asked for, prints the table to standard error and one JSON document to standard output. */
export async function runCoordination(options: CoordinationOptions): Promise<number> {
  const from = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'skein-rivals-'));
  const contestants: Contestant[] = [];
  const results: Results = { rows: {}, failover: {}, idle: {}, failed: [] };
  const leave = leavesNothing(folder, contestants);
  let missing: readonly Missing[] = [];
  try {
    if (options.rivals) missing = await startRivals(folder, contestants, results);
    note('bench: starting Skein');
    await builtNode();
    leave.swarmTakesOver();
    contestants.unshift(await startSkein());
    for (const row of options.rows) await attempt(results, row, () => runRow(row, contestants, options, results));
  } finally {
    await Promise.allSettled(contestants.map((contestant) => contestant.stop()));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    leave.done();
  }
  if (options.rows.includes('cold-start'))
    await attempt(results, 'cold-start', async () => {
      results.coldStart = await coldStart(options.coldEntries);
    });
  if (options.rows.includes('simulator'))
    await attempt(results, 'simulator', async () => {
      results.simulatedHoursPerCoreHour = await simulatorSpeed(options.simulatorSeeds);
    });
  const lines = verdicts(results);
  const names = contestants.map(({ name }) => name);
  note(`\n${renderTable(names, lines)}\n`);
  for (const one of missing) note(`not installed: ${one.name} (${one.missing})`);
  for (const { what, why } of results.failed) note(`FAILED: ${what}: ${why}`);
  process.stdout.write(
    `${JSON.stringify(
      {
        v: 1,
        kind: 'CoordinationBench',
        at: new Date().toISOString(),
        seconds: round((performance.now() - from) / 1_000, 0),
        machine: {
          cores: availableParallelism(),
          cpu: cpus()[0]?.model ?? 'unknown',
          memoryBytes: totalmem(),
          node: process.version,
        },
        caveats: [
          'all servers of all systems, and the clients, share this machine; while one is measured the others idle',
          'rows are run in turns, several rounds; rates are the median of the rounds, latencies are over all of them',
          'values are 256 bytes over 1,000 keys; one Node process is the client of every system',
          'SIGKILL on one machine closes sockets at once, which flatters everybody; SIGSTOP stands for a machine that is gone silently',
          `${options.trials} failovers of each kind (rivals ${options.rivalTrials}); --failovers 200 for the full count`,
        ],
        contestants: contestants.map(({ name, facts }) => ({ name, ...facts })),
        missing,
        ...results,
        table: lines,
      },
      null,
      2,
    )}\n`,
  );
  return results.failed.length === 0 ? 0 : 1;
}

/**
 * A bench that is interrupted leaves neither servers nor files behind. Once there is a swarm, that one handles
 * interruptions and ends this process; what is done here happens on the way out.
 */
function leavesNothing(folder: string, contestants: readonly Contestant[]) {
  const interrupted = (): never => process.exit(130);
  const leaving = (): void => {
    killLiveServers();
    for (const pid of contestants.flatMap((contestant) => contestant.pids())) killIfThere(pid);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of interruptions) process.on(signal, interrupted);
  process.on('exit', leaving);
  const swarmTakesOver = (): void => {
    for (const signal of interruptions) process.off(signal, interrupted);
  };
  return {
    swarmTakesOver,
    done: () => {
      swarmTakesOver();
      process.off('exit', leaving);
    },
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A row that fails is reported and costs no other row. */
async function attempt(results: Results, what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    results.failed.push({ what, why });
    note(`bench: ${what} failed: ${why}`);
  }
}

async function startRivals(folder: string, contestants: Contestant[], results: Results): Promise<readonly Missing[]> {
  const missing: Missing[] = [];
  const found = rivals.flatMap((rival) => {
    const version = rival.version();
    if (version === null) missing.push({ name: rival.name, missing: rival.missing });
    return version === null ? [] : [{ ...rival, installed: version }];
  });
  if (found.length === 0) return missing;
  await attempt(results, 'the rivals’ clients', async () => {
    await installClients();
    for (const rival of found) {
      note(`bench: starting ${rival.name} ${rival.installed}`);
      await attempt(results, rival.name, async () => {
        contestants.push(await rival.start(folder, rival.installed));
      });
    }
  });
  return missing;
}

async function runRow(
  row: RowName,
  contestants: readonly Contestant[],
  options: CoordinationOptions,
  results: Results,
): Promise<void> {
  note(`bench: ${row}`);
  const work = workOf[row];
  const blow = blowOf[row];
  if (work !== undefined) results.rows[row] = await alternate(contestants, options.plan, work);
  else if (row === 'idle') results.idle = await idle(contestants);
  else if (blow !== undefined) {
    const found: Record<string, FailoverResult> = (results.failover[blow] = {});
    for (const [at, contestant] of contestants.entries()) {
      const trials = at === 0 ? options.trials : options.rivalTrials;
      if (blow !== 'SIGTERM' || at === 0)
        await attempt(results, `${row} of ${contestant.name}`, async () => {
          found[contestant.name] = await failovers(contestant, blow, trials);
        });
    }
  }
}

async function idle(contestants: readonly Contestant[]): Promise<Record<string, IdleUse>> {
  await sleep(calmMs);
  const all = contestants.map((contestant) => ({ name: contestant.name, pids: contestant.pids() }));
  const before = await Promise.all(all.map(({ pids }) => Promise.all(pids.map(usage))));
  await sleep(idleMs);
  const after = await Promise.all(all.map(({ pids }) => Promise.all(pids.map(usage))));
  return Object.fromEntries(
    all.map(({ name }, at) => [
      name,
      {
        cpuPercentEach: (after[at] ?? []).map((now, server) =>
          round((((now?.cpuSeconds ?? 0) - (before[at]?.[server]?.cpuSeconds ?? 0)) * 100_000) / idleMs, 1),
        ),
        rssMegabytesEach: (after[at] ?? []).map((now) => Math.round((now?.rssBytes ?? 0) / 1e6)),
      },
    ]),
  );
}

/** Runs some seeds of the simulator in a process of their own and reads the rate it prints. */
async function simulatorSpeed(seeds: number): Promise<number> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const child = spawn(process.execPath, ['test/simulator/simulate.ts', '--seeds', String(seeds)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 180_000,
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-10_000)));
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  const rate = /(\d+) per core-hour/.exec(text)?.[1];
  if (rate === undefined) throw new Error(`the simulator told no rate: ${text.slice(-300)}`);
  return Number(rate);
}
