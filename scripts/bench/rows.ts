import { setImmediate as turn } from 'node:timers/promises';
import type { Contestant } from './contestant.ts';
import { load, round, summarise, type Slice, type Summary } from './measure.ts';
import { meter, type Cost } from './usage.ts';

/** One contestant's part of a row. */
export interface Measured extends Summary {
  /** Microseconds of processor time per operation, all three servers together; null where the system does not tell. */
  readonly serverCpuMicros: number;
  readonly clientCpuMicros: number;
  /** Share of the machine that other programs used meanwhile, at worst. */
  readonly foreignPercent: number | null;
  /** Locks only: cycles of the least and the most lucky contender, and how often two held at once. */
  readonly fairness?: { readonly least: number; readonly most: number; readonly overlaps: number };
}

/** What a row does with one contestant: made ready once, then run slice by slice. */
export interface Work {
  run(forMs: number): Promise<Slice>;
  readonly fairness?: () => NonNullable<Measured['fairness']>;
}

export interface Plan {
  readonly rounds: number;
  readonly sliceMs: number;
}

/** Runs a row: every contestant in turn, several rounds, so that a disturbance meets all of them alike. */
export async function alternate(
  contestants: readonly Contestant[],
  plan: Plan,
  prepare: (contestant: Contestant) => Promise<Work | null>,
): Promise<Record<string, Measured>> {
  const lanes: { contestant: Contestant; work: Work; slices: Slice[]; costs: Cost[] }[] = [];
  for (const contestant of contestants) {
    const work = await prepare(contestant);
    if (work !== null) lanes.push({ contestant, work, slices: [], costs: [] });
  }
  // Just-in-time compilers, ours and Java's, want to be warm.
  for (const { work } of lanes) await work.run(plan.sliceMs);
  for (let number = 0; number < plan.rounds; number++) {
    for (const { contestant, work, slices, costs } of lanes) {
      const stop = await meter(contestant.pids());
      slices.push(await work.run(plan.sliceMs));
      costs.push(await stop());
    }
  }
  return Object.fromEntries(
    lanes.map(({ contestant, work, slices, costs }) => [contestant.name, measured(work, slices, costs)]),
  );
}

function measured(work: Work, slices: readonly Slice[], costs: readonly Cost[]): Measured {
  const summary = summarise(slices);
  const perOperation = (seconds: (cost: Cost) => number): number =>
    round((costs.reduce((sum, cost) => sum + seconds(cost), 0) * 1e6) / Math.max(1, summary.operations), 1);
  const foreign = costs.map(({ foreignPercent }) => foreignPercent);
  return {
    ...summary,
    serverCpuMicros: perOperation((cost) => cost.serverCpuSeconds),
    clientCpuMicros: perOperation((cost) => cost.clientCpuSeconds),
    foreignPercent: foreign.includes(null) ? null : Math.max(...foreign.map((one) => one ?? 0)),
    ...(work.fairness === undefined ? {} : { fairness: work.fairness() }),
  };
}

export const writes =
  (clients: number) =>
  (contestant: Contestant): Promise<Work> =>
    Promise.resolve({ run: (forMs) => load(forMs, clients, (client) => contestant.write(client)) });

export const reads =
  (clients: number) =>
  (contestant: Contestant): Promise<Work | null> => {
    const { read } = contestant;
    return Promise.resolve(read === undefined ? null : { run: (forMs) => load(forMs, clients, read) });
  };

/** Acquire and release on one lock by `count` contenders; a hold lasts one turn of the event loop. */
export const lockCycles =
  (count: number, lock: string) =>
  async (contestant: Contestant): Promise<Work | null> => {
    const contenders = await contestant.contenders?.(lock, count);
    if (contenders === undefined) return null;
    const cycles = contenders.map(() => 0);
    let holders = 0;
    let overlaps = 0;
    return {
      run: (forMs) =>
        load(forMs, count, async (client) => {
          const contender = contenders[client];
          if (contender === undefined) return;
          const held = await contender.acquire();
          if (++holders > 1) overlaps++;
          cycles[client] = (cycles[client] ?? 0) + 1;
          await turn();
          holders--;
          await contender.release(held);
        }),
      fairness: () => ({ least: Math.min(...cycles), most: Math.max(...cycles), overlaps }),
    };
  };
