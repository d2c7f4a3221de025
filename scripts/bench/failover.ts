import { setTimeout as sleep } from 'node:timers/promises';
import type { Blow, Contestant, FailoverSubject } from './contestant.ts';
import { quantile, round } from './measure.ts';

const probeEveryMs = 5;
/** At first; later ones wait longer, so that a machine busy with other work is not taken for a system that is down. */
const probeTimeoutMs = 300;
const probesUnderWayMax = 200;
const limitMs = 30_000;
/** Between two blows. A machine that was stopped distrusts its own clock first; a second silence then is another story. */
const calmMs: Readonly<Record<Blow, number>> = { SIGKILL: 500, SIGTERM: 500, SIGSTOP: 4_000 };

export interface FailoverResult {
  readonly trials: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly timesMs: readonly number[];
}

/** Hits the leader `trials` times. The time of one: from the blow to the first write that a survivor acknowledges. */
export async function failovers(contestant: Contestant, blow: Blow, trials: number): Promise<FailoverResult> {
  const times: number[] = [];
  for (let trial = 0; trial < trials; trial++) times.push(await failoverOnce(contestant, blow));
  return {
    trials,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    minMs: round(Math.min(...times)),
    maxMs: round(Math.max(...times)),
    timesMs: times.map((time) => round(time, 1)),
  };
}

async function failoverOnce({ failover, serverCount }: Contestant, blow: Blow): Promise<number> {
  // Blows at one fixed phase of the heartbeat would measure that phase.
  await sleep(calmMs[blow] + Math.random() * 1_000);
  const leader = await failover.leader();
  const survivors = Array.from({ length: serverCount }, (_, server) => server).filter((server) => server !== leader);
  for (const survivor of survivors) await failover.probe(survivor, 5_000);
  const from = performance.now();
  const hitting = failover.hit(leader, blow);
  try {
    return (await firstWrite(failover, survivors)) - from;
  } finally {
    await hitting;
    await failover.restore(leader, blow);
  }
}

/** A new write every few milliseconds, on the survivors in turn, until one is acknowledged; answers when. */
async function firstWrite(failover: FailoverSubject, survivors: readonly number[]): Promise<number> {
  const from = performance.now();
  let acknowledgedAt: number | null = null;
  let underWay = 0;
  let last = 'no answer';
  const probe = async (server: number): Promise<void> => {
    underWay++;
    try {
      await failover.probe(server, Math.max(probeTimeoutMs, Math.round((performance.now() - from) / 4)));
      acknowledgedAt ??= performance.now();
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    underWay--;
  };
  for (let turn = 0; acknowledgedAt === null; turn++) {
    if (performance.now() - from > limitMs) throw new Error(`no write succeeded within ${limitMs} ms; last: ${last}`);
    if (underWay < probesUnderWayMax) {
      void probe(survivors[turn % survivors.length] ?? 0);
    }
    await sleep(probeEveryMs);
  }
  return acknowledgedAt;
}
