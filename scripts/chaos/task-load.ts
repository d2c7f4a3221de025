import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { JobDetail } from '../../shared/contract/tasks.ts';
import { AckLedger, type Found } from '../../test/checkers/ack-ledger.ts';
import { findProgram } from '../programs.ts';
import type { Machine } from './machines.ts';
import type { Story } from './story.ts';

const tasksPerJob = 2;
/** Jobs waited for at once: more would only measure the queue. */
const openJobsMax = 10;
const callMs = 10_000;
const nothing = findProgram('true');
const argv = nothing === null ? [process.execPath, '-e', ''] : [nothing];

/**
 * Submits small jobs and follows each to its end while the storm goes on, as nodes forget the oldest finished ones.
 * What was acknowledged must end, every task with exactly one accepted result.
 */
export class TaskLoad {
  readonly ledger = new AckLedger();
  readonly #machines: readonly Machine[];
  readonly #story: Story;
  readonly #cwd: string;
  readonly #open = new Set<number>();
  readonly #found: Found[] = [];

  constructor(options: { machines: readonly Machine[]; story: Story; cwd: string }) {
    this.#machines = options.machines;
    this.#story = options.story;
    this.#cwd = options.cwd;
  }

  get openCount(): number {
    return this.#open.size;
  }

  async submit(machine: Machine, random: Random, running: () => boolean): Promise<void> {
    while (running()) {
      if (machine.awake && this.#open.size < openJobsMax) await this.#submitOne(machine);
      await sleep(300 + random.below(700));
    }
  }

  async #submitOne(machine: Machine): Promise<void> {
    const operation = {
      client: machine.name,
      kind: 'submit',
      key: 'jobs',
      arguments: { tasks: tasksPerJob },
      start: this.#story.now,
    };
    try {
      const { job } = await machine.node.api.tasks.submit(
        { name: 'chaos', argv, cwd: this.#cwd, each: { type: 'range', from: 1, to: tasksPerJob }, retries: 20 },
        { signal: AbortSignal.timeout(callMs) },
      );
      this.#open.add(job);
      this.ledger.acknowledge(String(job), this.#story.now);
      this.#story.operations.push({ ...operation, result: { job }, end: this.#story.now });
    } catch (error) {
      // Not acknowledged: nobody was promised anything, and it may still run.
      this.#story.tell(`a job of ${machine.name} was not acknowledged: ${String(error).slice(0, 150)}`);
      this.#story.operations.push({ ...operation, result: null, end: null });
    }
  }

  /** Looks after the open jobs through whichever machine answers, until all have ended or `until` says to stop. */
  async follow(random: Random, until: () => boolean): Promise<void> {
    while (until()) {
      for (const job of [...this.#open]) {
        const awake = this.#machines.filter((machine) => machine.awake);
        const machine = awake[random.below(Math.max(1, awake.length))];
        if (machine === undefined || !until()) break;
        await this.#look(machine, job);
      }
      await sleep(200);
    }
  }

  async #look(machine: Machine, job: number): Promise<void> {
    try {
      const input = { selector: String(job) };
      const { view } = await machine.node.api.tasks.show(input, { signal: AbortSignal.timeout(callMs) });
      if (view.job.endedAt === null) return;
      this.#open.delete(job);
      this.#judge(view);
    } catch (error) {
      // Killed, stopped or behind: another machine is asked the next time.
      if (machine.awake)
        this.#story.tell(`${machine.name} does not tell of job ${job}: ${String(error).slice(0, 150)}`);
    }
  }

  #judge({ job, tasks }: JobDetail): void {
    const completions = tasks.map(({ attempts }) => attempts.filter(({ state }) => state === 'succeeded').length);
    this.#found.push({ id: String(job.id), state: job.state, completions: Math.max(...completions, 0) });
    if (job.counts.succeeded === tasksPerJob && completions.every((count) => count === 1)) return;
    const ends = tasks.flatMap(({ index, attempts }) =>
      attempts.map(({ number, outcome, state }) => `${index}#${number} ${state}: ${outcome}`),
    );
    this.#story.violation(
      `job ${job.id} ended as ${job.state} (${JSON.stringify(job.counts)}): ${ends.join('; ').slice(0, 500)}`,
    );
  }

  /** What of the acknowledged is lost, doubled or still open. */
  problems(): string[] {
    const open = [...this.#open].map((job) => `job ${job}, acknowledged, has not ended`);
    const live = [...this.#open].map((job): Found => ({ id: String(job), state: 'open', completions: 0 }));
    return [...open, ...this.ledger.problems([...this.#found, ...live]).map((problem) => `job ${problem}`)];
  }
}
