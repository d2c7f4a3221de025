/**
 * Measures a swarm of three node processes on this machine through their public API, fsync on, and prints one JSON
 * document. Clients, coordinator and voters share the cores, so client cost is part of every number.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, type NodeProcess } from '../swarm/node-process.ts';
import { failovers } from './failover.ts';
import { load, note, round, summarise } from './measure.ts';
import { lockCycles } from './rows.ts';
import { replicatedWrite, startSkein } from './skein.ts';
import { usage } from './usage.ts';

/** How much of each. */
export interface Plan {
  readonly loadMs: number;
  readonly tasks: number;
  readonly kills: number;
  readonly stagedBytes: number;
  readonly idleMs: number;
}

export const quick: Plan = {
  loadMs: 2_000,
  tasks: 500,
  kills: 3,
  stagedBytes: 128 * 1_024 * 1_024,
  idleMs: 5_000,
};
export const full: Plan = {
  loadMs: 15_000,
  tasks: 5_000,
  kills: 20,
  stagedBytes: 1_024 * 1_024 * 1_024,
  idleMs: 30_000,
};

async function runTasks(node: NodeProcess, cwd: string, argv: readonly string[], count: number) {
  const from = performance.now();
  const { job } = await node.api.tasks.submit({
    name: 'bench',
    argv: [...argv],
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

async function measured(forMs: number, clients: number, operation: (client: number) => Promise<unknown>) {
  await load(forMs / 4, clients, operation);
  return summarise([await load(forMs, clients, operation)]);
}

/** Runs every part once and prints one JSON document to standard output. */
export async function runSwarmBench(plan: Plan): Promise<number> {
  const skein = await startSkein();
  const { swarm } = skein;
  try {
    const cwd = join(swarm.folder, 'work');
    await mkdir(cwd);
    const coordinator = await swarm.coordinator();
    const follower = swarm.nodes.find((node) => node !== coordinator) ?? coordinator;
    note('bench: idle');
    await sleep(3_000);
    const idleCoordinator = await idle(coordinator, plan.idleMs);
    note('bench: replicated writes');
    const oneClient = await measured(plan.loadMs, 1, skein.write);
    const oneClientAtFollower = await measured(plan.loadMs, 1, () => replicatedWrite(follower.api));
    const clients256 = await measured(plan.loadMs, 256, skein.write);
    note('bench: locks');
    const lockWork = await lockCycles(1, 'bench-lock')(skein);
    const lockAcquireRelease = summarise(lockWork === null ? [] : [await lockWork.run(plan.loadMs)]);
    note('bench: tasks');
    const noopTasks = await runTasks(follower, cwd, ['/bin/true'], plan.tasks);
    const processTasks = await runTasks(follower, cwd, ['/bin/sh', '-c', 'echo "task $0"'], plan.tasks);
    note('bench: staging');
    const staging = await stageFile(coordinator, follower, cwd, plan.stagedBytes);
    note('bench: failover');
    const failover = await failovers(skein, 'SIGKILL', plan.kills);
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
            skein.facts.client,
            ...skein.facts.caveats,
            'every task is a process: a no-op task is /bin/true, a process task a shell that prints a line; both with two slots on each of three machines',
            'failover is SIGKILL of the coordinator until the next write succeeds on a survivor; loopback closes sockets at once',
          ],
          replicatedWrite: { oneClient, oneClientAtFollower, clients256 },
          lockAcquireRelease,
          noopTasks,
          processTasks,
          staging,
          failover,
          idleCoordinator,
        },
        null,
        2,
      )}\n`,
    );
    return 0;
  } finally {
    await skein.stop();
  }
}
