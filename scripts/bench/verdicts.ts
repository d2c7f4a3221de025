import type { Blow } from './contestant.ts';
import type { Results, RowName } from './coordination.ts';
import { round } from './measure.ts';
import type { Measured } from './rows.ts';
import type { Line } from './table.ts';

const own = 'Skein';

type Better = 'less' | 'more';
type Pick = (measured: Measured) => number;

interface Aim {
  readonly row: RowName;
  readonly work: string;
  readonly pick: Pick;
  readonly unit: string;
  readonly better: Better;
  /** Against the best of these. */
  readonly rivals: readonly string[];
  /** What the ratio to that rival must be: at most, or at least. */
  readonly ratio: number | null;
}

const aims: readonly Aim[] = [
  aim('write-1', 'replicated write, 1 client, p50', p50, ' ms', 'less', ['etcd'], 1),
  aim('write-1', 'replicated write, 1 client, p99', p99, ' ms', 'less', ['etcd'], null),
  aim('write-256', 'replicated writes/s, 256 clients', rate, '/s', 'more', ['etcd', 'NATS JetStream'], 2),
  aim('lock-1', 'lock acquire+release, p50', p50, ' ms', 'less', ['etcd', 'ZooKeeper'], 0.5),
  aim('lock-16', 'lock hand-overs/s, 16 contenders', rate, '/s', 'more', ['ZooKeeper'], 2),
  aim('read-1', 'linearizable read, 1 client, p50', p50, ' ms', 'less', ['etcd'], 1),
  aim('read-256', 'linearizable reads/s, 256 clients', rate, '/s', 'more', ['etcd'], 2),
];

function p50(measured: Measured): number {
  return measured.p50Ms;
}
function p99(measured: Measured): number {
  return measured.p99Ms;
}
function rate(measured: Measured): number {
  return measured.perSecond;
}

function aim(
  row: RowName,
  work: string,
  pick: Pick,
  unit: string,
  better: Better,
  rivals: readonly string[],
  ratio: number | null,
): Aim {
  return { row, work, pick, unit, better, rivals, ratio };
}

/** The table of issue-sized goals: each row with its numbers, the ratio to the best rival named and whether it is reached. */
export function verdicts(results: Results): readonly Line[] {
  return [
    ...aims.flatMap((one) => compared(results, one)),
    ...failoverLines(results),
    ...idleLines(results),
    ...coldStartLines(results),
    ...simulatorLines(results),
  ];
}

function compared(results: Results, { row, work, pick, unit, better, rivals, ratio }: Aim): Line[] {
  const measured = results.rows[row];
  if (measured === undefined) return [];
  const values = Object.fromEntries(Object.entries(measured).map(([name, one]) => [name, `${pick(one)}${unit}`]));
  const ownValue = measured[own] === undefined ? null : pick(measured[own]);
  const others = rivals.flatMap((name) => (measured[name] === undefined ? [] : [pick(measured[name])]));
  const best = others.length === 0 ? null : better === 'less' ? Math.min(...others) : Math.max(...others);
  const found = ownValue === null || best === null ? null : ownValue / best;
  const words = better === 'less' ? 'at most' : 'at least';
  return [
    {
      work,
      values,
      ratio: found === null ? '-' : `${round(found, 2)} x`,
      aim: ratio === null ? '' : `${words} ${ratio} x ${rivals.length === 1 ? (rivals[0] ?? '') : 'the best'}`,
      reached: found === null || ratio === null ? null : better === 'less' ? found <= ratio : found >= ratio,
    },
  ];
}

const failoverAims: Readonly<Record<Blow, { readonly work: string; readonly p50Ms: number; readonly p99Ms: number }>> =
  {
    SIGKILL: { work: 'failover, kill -9', p50Ms: 370, p99Ms: 1_000 },
    SIGSTOP: { work: 'failover, silence', p50Ms: 1_500, p99Ms: 4_000 },
    SIGTERM: { work: 'graceful hand-over', p50Ms: Number.POSITIVE_INFINITY, p99Ms: 500 },
  };

function failoverLines({ failover }: Results): Line[] {
  return (Object.keys(failoverAims) as Blow[]).flatMap((blow) => {
    const measured = failover[blow];
    if (measured === undefined) return [];
    const { work, p50Ms, p99Ms } = failoverAims[blow];
    const mine = measured[own];
    const zooKeeper = measured['ZooKeeper']?.p50Ms ?? Number.POSITIVE_INFINITY;
    const p50Aim = blow === 'SIGKILL' ? Math.min(p50Ms, zooKeeper) : p50Ms;
    const line = (which: 'p50Ms' | 'p99Ms', limit: number): Line => ({
      work: `${work}, ${which.slice(0, 3)} of ${mine?.trials ?? 0}`,
      values: Object.fromEntries(Object.entries(measured).map(([name, one]) => [name, `${Math.round(one[which])} ms`])),
      ratio: '-',
      aim: Number.isFinite(limit) ? `at most ${Math.round(limit)} ms` : '',
      reached: mine === undefined || !Number.isFinite(limit) ? null : mine[which] <= limit,
    });
    return [line('p50Ms', p50Aim), line('p99Ms', p99Ms)];
  });
}

function idleLines({ idle }: Results): Line[] {
  const mine = idle[own];
  if (mine === undefined) return [];
  const line = (work: string, pick: 'cpuPercentEach' | 'rssMegabytesEach', unit: string, limit: number): Line => ({
    work,
    values: Object.fromEntries(Object.entries(idle).map(([name, one]) => [name, `${Math.max(...one[pick])}${unit}`])),
    ratio: '-',
    aim: `at most ${limit}${unit}`,
    reached: Math.max(...mine[pick]) <= limit,
  });
  return [
    line('idle, processor of the busiest member', 'cpuPercentEach', ' %', 1),
    line('idle, memory of the largest member', 'rssMegabytesEach', ' MB', 150),
  ];
}

function coldStartLines({ coldStart }: Results): Line[] {
  if (coldStart === undefined) return [];
  const { entries, writeAfterMs, rssMegabytes } = coldStart;
  const line = (work: string, value: number | null, unit: string, limit: number): Line => ({
    work: `${work}, log of ${entries} entries`,
    values: { [own]: value === null ? '-' : `${value}${unit}` },
    ratio: '-',
    aim: `at most ${limit}${unit}`,
    reached: value === null ? null : value <= limit,
  });
  return [line('cold start to first write', writeAfterMs, ' ms', 5_000), line('its memory', rssMegabytes, ' MB', 250)];
}

function simulatorLines({ simulatedHoursPerCoreHour: hours }: Results): Line[] {
  if (hours === undefined) return [];
  return [
    {
      work: 'simulator, hours per core-hour',
      values: { [own]: String(hours) },
      ratio: '-',
      aim: 'at least 100',
      reached: hours >= 100,
    },
  ];
}
