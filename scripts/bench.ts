/**
 * Measures a swarm of three node processes on this machine through their public API, fsync on, and prints one JSON
 * document. Clients, coordinator and voters share the cores, so client cost is part of every number.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LocalSwarm } from './swarm/local-swarm.ts';
import { until, type NodeProcess } from './swarm/node-process.ts';

interface Plan {
  readonly writes: number;
  readonly locks: number;
  readonly tasks: number;
  readonly kills: number;
  readonly stagedBytes: number;
  readonly idleMs: number;
}

const quick: Plan = {
  writes: 2_000,
  locks: 300,
  tasks: 500,
  kills: 3,
  stagedBytes: 128 * 1_024 * 1_024,
  idleMs: 5_000,
};
const full: Plan = {
  writes: 20_000,
  locks: 3_000,
  tasks: 5_000,
  kills: 20,
  stagedBytes: 1_024 * 1_024 * 1_024,
  idleMs: 30_000,
};

const note = (line: string): void => void process.stderr.write(`${line}\n`);
const round = (value: number): number => Math.round(value * 1_000) / 1_000;

function quantile(sorted: readonly number[], fraction: number): number {
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN);
}

/** Runs `count` operations with `clients` under way at a time; milliseconds each, and the rate. */
async function measure(count: number, clients: number, operation: () => Promise<unknown>) {
  const latencies: number[] = [];
  let started = 0;
  const from = performance.now();
  const client = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      const before = performance.now();
      await operation();
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - from) / 1_000;
  latencies.sort((left, right) => left - right);
  return {
    operations: latencies.length,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    perSecond: Math.round(latencies.length / seconds),
  };
}

/** One entry through the log: the refusal to release a lock that nobody holds. It changes nothing, but every voter stores it. */
async function replicatedWrite(node: NodeProcess): Promise<void> {
  try {
    await node.api.locks.forceRelease({ name: 'bench', token: 1, reason: 'bench' });
  } catch (error) {
    const code = (error as { data?: { code?: string } }).data?.code;
    if (code !== 'not-found' && code !== 'precondition-failed') throw error;
  }
}

async function takeAndGiveLock(node: NodeProcess): Promise<void> {
  const leaving = new AbortController();
  const events = await node.api.locks.hold({ name: 'bench-lock', label: 'bench' }, { signal: leaving.signal });
  for await (const event of events) if (event.type === 'granted') break;
  leaving.abort();
}

async function runTasks(node: NodeProcess, cwd: string, count: number) {
  const from = performance.now();
  const { job } = await node.api.tasks.submit({
    name: 'bench',
    argv: ['/bin/true'],
    cwd,
    each: { type: 'range', from: 1, to: count },
  });
  const detail = await until(
    'the tasks to end',
    600_000,
    async () => {
      const { view } = await node.api.tasks.show({ selector: String(job), limit: 1 });
      return view.job.endedAt === null ? null : view;
    },
    20,
  );
  const seconds = (performance.now() - from) / 1_000;
  if (detail.job.counts.succeeded !== count)
    throw new Error(`only ${detail.job.counts.succeeded} of ${count} tasks succeeded: ${detail.job.reason}`);
  return { tasks: count, seconds: round(seconds), perSecond: Math.round(count / seconds) };
}

/** From submission to the end of a task on another machine that needs one large file there: hash, send, verify, store, place. */
async function stageFile(submitter: NodeProcess, worker: NodeProcess, cwd: string, bytes: number) {
  const path = join(cwd, 'large.bin');
  await writeFile(path, randomBytes(bytes));
  const from = performance.now();
  const { job } = await submitter.api.tasks.submit({
    name: 'stage',
    argv: ['/bin/true'],
    cwd,
    inputs: ['large.bin'],
    on: worker.name,
  });
  await until(
    'the staged task to end',
    600_000,
    async () => {
      const { view } = await submitter.api.tasks.show({ selector: String(job), limit: 1 });
      if (view.job.endedAt !== null && view.job.counts.succeeded !== 1) throw new Error(view.job.reason);
      return view.job.endedAt === null ? null : view;
    },
    20,
  );
  const seconds = (performance.now() - from) / 1_000;
  return { bytes, seconds: round(seconds), megabytesPerSecond: Math.round(bytes / 1e6 / seconds) };
}

async function failovers(swarm: LocalSwarm, kills: number) {
  const times: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const victim = await swarm.coordinator();
    const survivor = swarm.running().find((node) => node !== victim);
    if (survivor === undefined) throw new Error('nobody survives');
    const from = performance.now();
    await victim.kill();
    await until(
      'a write after the kill',
      60_000,
      async () => {
        await replicatedWrite(survivor);
        return true;
      },
      5,
    );
    times.push(performance.now() - from);
    await victim.start();
    await swarm.settled();
  }
  times.sort((left, right) => left - right);
  return {
    kills,
    p50Ms: quantile(times, 0.5),
    minMs: round(times[0] ?? Number.NaN),
    maxMs: round(times.at(-1) ?? Number.NaN),
  };
}

/** CPU seconds used so far and resident bytes, as Linux tells them; null elsewhere. */
async function usage(pid: number): Promise<{ cpuSeconds: number; rssBytes: number } | null> {
  if (process.platform !== 'linux') return null;
  const [text, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticksPerSecond = 100;
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return { cpuSeconds, rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024 };
}

async function idle(node: NodeProcess, idleMs: number) {
  const before = await usage(node.pid);
  await sleep(idleMs);
  const after = await usage(node.pid);
  if (before === null || after === null) return null;
  return {
    cpuPercentOfACore: round(((after.cpuSeconds - before.cpuSeconds) * 100_000) / idleMs),
    rssMegabytes: Math.round(after.rssBytes / 1e6),
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true });
  const plan = values.quick === true ? quick : full;
  const swarm = await LocalSwarm.found({
    name: 'bench',
    machines: ['one', 'two', 'three'],
    flags: ['--log-level', 'warn'],
    slots: 2,
    say: note,
  });
  try {
    const cwd = join(swarm.folder, 'work');
    await mkdir(cwd);
    const coordinator = await swarm.coordinator();
    const follower = swarm.nodes.find((node) => node !== coordinator) ?? coordinator;
    note('idle');
    await sleep(2_000);
    const idleNode = await idle(coordinator, plan.idleMs);
    note('replicated writes');
    const oneClient = await measure(Math.ceil(plan.writes / 4), 1, () => replicatedWrite(coordinator));
    const oneClientFollower = await measure(Math.ceil(plan.writes / 4), 1, () => replicatedWrite(follower));
    const manyClients = await measure(plan.writes * 2, 256, () => replicatedWrite(coordinator));
    note('locks');
    const lock = await measure(plan.locks, 1, () => takeAndGiveLock(coordinator));
    note('tasks');
    const processTasks = await runTasks(follower, cwd, plan.tasks);
    note('staging');
    const staging = await stageFile(coordinator, follower, cwd, plan.stagedBytes);
    note('failover');
    const failover = await failovers(swarm, plan.kills);
    process.stdout.write(
      `${JSON.stringify(
        {
          v: 1,
          kind: 'Bench',
          at: new Date().toISOString(),
          machine: {
            cores: availableParallelism(),
            cpu: cpus()[0]?.model ?? 'unknown',
            memoryBytes: totalmem(),
            node: process.version,
          },
          caveats: [
            'three voters, the client and the workers share this machine; fsync is on',
            'a replicated write is a refused force-release: one log entry on a quorum of disks, asked over the control socket',
            'every task is a process: there is no in-process no-op task to measure',
            'failover is SIGKILL of the coordinator until the next write succeeds on a survivor; loopback closes sockets at once',
          ],
          replicatedWrite: { oneClient, oneClientAtFollower: oneClientFollower, clients256: manyClients },
          lockAcquireRelease: lock,
          noopTasks: null,
          processTasks,
          staging,
          failover,
          idleCoordinator: idleNode,
        },
        null,
        2,
      )}\n`,
    );
    return 0;
  } finally {
    await swarm.dispose();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
