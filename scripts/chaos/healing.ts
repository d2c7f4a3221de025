import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalSwarm } from '../swarm/local-swarm.ts';
import { until } from '../swarm/node-process.ts';
import { probeLock } from './lock-load.ts';
import type { Machine } from './machines.ts';
import type { Story } from './story.ts';
import type { Wires } from './wires.ts';

const settleMs = 90_000;
const probeMs = 30_000;
const jobsMs = 180_000;
const agreeMs = 30_000;

interface Scene {
  readonly swarm: LocalSwarm;
  readonly machines: readonly Machine[];
  readonly wires: Wires | null;
  readonly story: Story;
  readonly openJobs: () => number;
  readonly stopClients: () => void;
}

/** Undoes every fault; then everything must work again within bounds, or the story has a violation. */
export async function heal({ swarm, machines, wires, story, openJobs, stopClients }: Scene): Promise<void> {
  wires?.heal();
  for (const machine of machines) {
    machine.freeze(false);
    machine.freeDisk();
    machine.setClock(0);
    // A disk that failed goes on failing under its process: the machine gets a new one.
    if (machine.diskFailed) await machine.kill();
    machine.revive();
  }
  const healedAt = story.now;
  const after = (): string => `${((story.now - healedAt) / 1_000).toFixed(1)} s after the storm`;
  const must = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
      story.say(`${what}: ${after()}`);
    } catch (error) {
      story.violation(`not ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  await must('all processes run', () =>
    until('every process', settleMs, () => Promise.resolve(machines.every(({ node }) => node.callable) ? true : null)),
  );
  await must('the swarm is settled', () => swarm.settled(settleMs));
  for (const machine of machines)
    await must(`${machine.name} takes a lock`, () => until('a probe', probeMs, () => probeLock(machine, probeMs)));
  // Clients go on for a moment in the calm, so that the histories have operations after the last fault.
  await sleep(2_000);
  stopClients();
  await must('every job has ended', () =>
    until(`${openJobs()} open jobs`, jobsMs, () => Promise.resolve(openJobs() === 0 ? true : null)),
  );
  await must('all machines tell the same', () =>
    until('the same views everywhere', agreeMs, () => sameViews(machines)),
  );
}

/** Replicas that applied the same log show the same locks and the same jobs. */
async function sameViews(machines: readonly Machine[]): Promise<true | null> {
  const views = await Promise.all(
    machines.map(async ({ node }) => {
      const { view: locks } = await node.api.locks.list();
      const { view: jobs } = await node.api.tasks.list();
      return JSON.stringify([
        locks.locks.map(({ name, history }) => [name, history.map(({ token, endedAt }) => [token, endedAt])]),
        jobs.jobs.map(({ id, state, counts }) => [id, state, counts]),
      ]);
    }),
  );
  if (new Set(views).size === 1) return true;
  throw new Error(`the views differ: ${views.map((view) => view.slice(0, 300)).join(' | ')}`);
}
