/**
 * Kills one of three node processes with SIGKILL, at random moments, many times, under lock and task load, and checks
 * what clients were told: no acknowledged task lost, no result accepted twice, no two holders, tokens that only grow.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { seededRandom, type Random } from '../src-main/core/machine/random.ts';
import { LocalSwarm } from './swarm/local-swarm.ts';
import { until, type NodeProcess } from './swarm/node-process.ts';

const lock = 'crash-test';
/** Each kill ends a holder or somebody in line: with the usual 15 s after a loss the lock would hardly ever be held. */
const lockDelayMs = 500;
const tasksPerJob = 3;
/** Submitters wait while this many jobs are unfinished. */
const jobsPendingMax = 200;
const settleMs = 300_000;
const lookMs = 5_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What clients were told, kept outside the nodes. */
class Ledger {
  readonly grants: { token: number; from: number; to: number; who: string }[] = [];
  readonly jobs: number[] = [];
  readonly violations: string[] = [];

  /** Grants must not overlap in time, and later ones must have larger tokens. */
  checkLocks(): void {
    const ordered = this.grants.toSorted((left, right) => left.from - right.from);
    ordered.forEach((grant, index) => {
      const previous = ordered[index - 1];
      if (previous === undefined) return;
      if (grant.from < previous.to)
        this.violations.push(
          `two holders: #${previous.token} of ${previous.who} until ${previous.to}, #${grant.token} of ${grant.who} from ${grant.from}`,
        );
      if (grant.token <= previous.token) this.violations.push(`token #${grant.token} after #${previous.token}`);
    });
  }
}

/** Takes the lock, holds it for a moment, gives it back, for as long as the test runs. */
async function useLock(node: NodeProcess, ledger: Ledger, random: Random, running: () => boolean): Promise<void> {
  while (running()) {
    if (!node.running) {
      await sleep(50);
      continue;
    }
    const leaving = new AbortController();
    try {
      const wish = { name: lock, label: 'crash test', delayMs: lockDelayMs };
      const events = await node.api.locks.hold(wish, { signal: leaving.signal });
      for await (const event of events) {
        if (event.type === 'waiting') continue;
        if (event.type === 'lost') break;
        const grant = { token: event.token, from: performance.now(), to: Number.POSITIVE_INFINITY, who: node.name };
        ledger.grants.push(grant);
        // A holder whose node dies knows it from the closed connection: its claim ends there.
        const gone = new Promise<void>((resolve) => {
          const timer = setInterval(() => {
            if (node.running) return;
            clearInterval(timer);
            resolve();
          }, 1);
          leaving.signal.addEventListener('abort', () => clearInterval(timer));
        });
        await Promise.race([sleep(5 + random.below(40)), gone]);
        grant.to = performance.now();
        break;
      }
    } catch {
      // The node was killed under this client; it comes back.
      await sleep(20);
    } finally {
      leaving.abort();
    }
  }
}

/** Submits small jobs; what was acknowledged must end well. */
async function submitJobs(node: NodeProcess, jobs: FollowedJobs, cwd: string, running: () => boolean): Promise<void> {
  while (running()) {
    if (node.running && jobs.count < jobsPendingMax) {
      try {
        const { job } = await node.api.tasks.submit({
          name: 'crash',
          argv: [process.execPath, '-e', ''],
          cwd,
          each: { type: 'range', from: 1, to: tasksPerJob },
        });
        jobs.add(job);
      } catch {
        // Not acknowledged: whether it took effect is unknown, and nobody was promised anything.
      }
    }
    await sleep(500);
  }
}

/** Jobs that were acknowledged and not yet seen to end; a node forgets the oldest finished jobs, so they are followed. */
class FollowedJobs {
  readonly #ledger: Ledger;
  #pending: number[] = [];
  #looking = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get count(): number {
    return this.#pending.length + this.#looking;
  }

  add(job: number): void {
    this.#ledger.jobs.push(job);
    this.#pending.push(job);
  }

  /** Looks at every pending job once, and checks those that have ended. */
  async look(node: NodeProcess): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    this.#looking = pending.length;
    for (const job of pending) {
      if (!(await this.#hasEnded(node, job))) this.#pending.push(job);
      this.#looking -= 1;
    }
  }

  async #hasEnded(node: NodeProcess, job: number): Promise<boolean> {
    try {
      const { view } = await node.api.tasks.show({ selector: String(job) }, { signal: AbortSignal.timeout(lookMs) });
      if (view.job.endedAt === null) return false;
      this.#check(job, view);
      return true;
    } catch {
      // The node was killed under this look, or is behind; it is asked again.
      return false;
    }
  }

  #check(job: number, view: Awaited<ReturnType<NodeProcess['api']['tasks']['show']>>['view']): void {
    const { violations } = this.#ledger;
    if (view.job.counts.succeeded !== tasksPerJob)
      violations.push(`job ${job} ended with ${view.job.counts.succeeded} of ${tasksPerJob} succeeded`);
    for (const task of view.tasks) {
      const accepted = task.attempts.filter(({ state }) => state === 'succeeded').length;
      if (accepted !== 1) violations.push(`task ${job}.${task.index} has ${accepted} accepted results`);
    }
  }

  /** Whatever is left must end soon now that nobody is killed any more. */
  async finish(node: NodeProcess): Promise<void> {
    await until('every acknowledged job to end', settleMs, async () => {
      await this.look(node);
      return this.#pending.length === 0 ? true : null;
    }).catch(() => {
      for (const job of this.#pending) this.#ledger.violations.push(`acknowledged job ${job} did not end`);
    });
  }
}

/** Follows the jobs beside the killing, by whichever node is up. */
async function followJobs(nodes: readonly NodeProcess[], jobs: FollowedJobs, running: () => boolean): Promise<void> {
  while (running()) {
    const node = nodes.find((each) => each.running);
    if (node !== undefined) await jobs.look(node);
    await sleep(500);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' }, seed: { type: 'string' } } });
  const kills = Number(values.kills);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!Number.isInteger(kills) || kills < 1 || kills > 10_000 || !Number.isInteger(seed)) {
    process.stderr.write('usage: npm run test:crash -- [--kills 1..10000] [--seed N]\n');
    return 2;
  }
  say(`crash test: kills=${kills} seed=${seed}`);
  const random = seededRandom(seed);
  const ledger = new Ledger();
  const jobs = new FollowedJobs(ledger);
  const swarm = await LocalSwarm.found({
    name: 'crash',
    machines: ['one', 'two', 'three'],
    flags: ['--session-ttl-ms', '3000', '--log-level', 'warn'],
    slots: 2,
  });
  try {
    const cwd = join(swarm.folder, 'empty');
    await mkdir(cwd);
    let running = true;
    const alive = (): boolean => running;
    const clients = [
      ...swarm.nodes.map((node, index) => useLock(node, ledger, seededRandom(seed + index + 1), alive)),
      ...swarm.nodes.map((node) => submitJobs(node, jobs, cwd, alive)),
      followJobs(swarm.nodes, jobs, alive),
    ];
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(200 + random.below(1_200));
      const victim = swarm.nodes[random.below(swarm.nodes.length)];
      if (victim === undefined) continue;
      await victim.kill();
      await sleep(random.below(600));
      await victim.start();
      if (kill % 10 === 0)
        say(`  ${kill} kills, ${ledger.grants.length} grants, ${ledger.jobs.length} acknowledged jobs`);
    }
    running = false;
    await Promise.all(clients);
    await swarm.settled();
    const [observer] = swarm.nodes;
    if (observer !== undefined) await jobs.finish(observer);
    ledger.checkLocks();
  } finally {
    await swarm.dispose();
  }
  for (const violation of ledger.violations.slice(0, 20)) say(`VIOLATION ${violation}`);
  say(
    `crash: kills=${kills} grants=${ledger.grants.length} jobs=${new Set(ledger.jobs).size} violations=${ledger.violations.length} seed=${seed}`,
  );
  return ledger.violations.length === 0 && ledger.jobs.length > 0 && ledger.grants.length > 0 ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`crash test: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
