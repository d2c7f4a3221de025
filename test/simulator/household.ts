import type { Random } from '../../src-main/core/machine/random.ts';
import { lanTiming, type NodeTiming } from '../../src-main/core/machine/timing.ts';
import { between, chance } from './forks.ts';
import { oneVersion, type SimOptions } from './options.ts';

export const hourMs = 3_600_000;

/** Hours of one day, from midnight, in which a machine is awake; they may reach into the next day. */
type Windows = readonly (readonly [fromHour: number, toHour: number])[];

export interface Habit {
  readonly windows: (random: Random, day: number) => Windows;
  /** Share of the times it goes that it is shut down rather than put to sleep. */
  readonly shutDownShare: number;
  /** Its owner has said that it is the home base. */
  readonly homeBase?: boolean;
}

const around = (random: Random, hour: number, spread: number): number => hour + (random.next() * 2 - 1) * spread;
const isWeekend = (day: number): boolean => day % 7 >= 5;

const alwaysOn: Habit = { windows: () => [[0, 24]], shutDownShare: 1, homeBase: true };

const workLaptop: Habit = {
  shutDownShare: 0.1,
  windows: (random, day) => {
    if (isWeekend(day)) return chance(random, 0.3) ? [[around(random, 11, 2), around(random, 15, 3)]] : [];
    const lunch = around(random, 12.5, 0.5);
    return [
      [around(random, 8.5, 1), lunch],
      [lunch + between(random, 0.3, 1), around(random, 17.5, 1.5)],
    ];
  },
};

const eveningLaptop: Habit = {
  shutDownShare: 0.2,
  windows: (random, day) => {
    const evening: Windows = [[around(random, 18.5, 1), around(random, 22.5, 1)]];
    return isWeekend(day) ? [[around(random, 10, 1.5), around(random, 13, 1)], ...evening] : evening;
  },
};

/** Opened for minutes, many times a day. */
const tablet: Habit = {
  shutDownShare: 0,
  windows: (random) =>
    Array.from({ length: 2 + random.below(5) }, (_, index) => {
      const from = 7 + index * 2.5 + random.next();
      return [from, from + between(random, 0.05, 0.6)] as const;
    }),
};

const desktop: Habit = {
  shutDownShare: 0.9,
  windows: (random) => [[around(random, 9, 1.5), around(random, 22, 1.5)]],
};

/** Who lives together, by the machines they own. The names are those of the table in `docs/evidence.md`. */
export const households: Readonly<Record<string, readonly Habit[]>> = {
  'always-on box and three laptops': [alwaysOn, workLaptop, eveningLaptop, eveningLaptop],
  'two laptops': [workLaptop, eveningLaptop],
  'desktop and laptop': [desktop, workLaptop],
  'dark at night': [desktop, desktop, desktop],
  family: [desktop, workLaptop, eveningLaptop, tablet],
  office: [workLaptop, workLaptop, workLaptop, workLaptop, workLaptop],
};

export interface Transition {
  readonly atMs: number;
  readonly machine: number;
  readonly awake: boolean;
}

export interface Life {
  readonly days: number;
  /** Nobody says goodbye: as where lids close and batteries end before anything can be said. */
  readonly silent: boolean;
}

/**
 * What happens at its time, whether or not anything happened, happens this much more seldom: signs of life, what is
 * asked again, looks for work. Detecting a failure takes as much longer, so availability comes out lower, not higher.
 */
const timerFactor = 4;

const slowTiming: Partial<NodeTiming> = {
  heartbeatMs: timerFactor * lanTiming.heartbeatMs,
  suspectMs: timerFactor * lanTiming.suspectMs,
  answerMs: timerFactor * lanTiming.answerMs,
  tryMs: timerFactor * lanTiming.tryMs,
  quorumMs: timerFactor * lanTiming.quorumMs,
  retryMs: timerFactor * lanTiming.retryMs,
  // Machines that wait for nothing hear of several entries at once.
  commitNewsMs: 200,
  placementMs: timerFactor * lanTiming.placementMs,
  sessionsMs: timerFactor * lanTiming.sessionsMs,
  voterSettleMs: timerFactor * lanTiming.voterSettleMs,
};

/** A LAN that works, with everyday mishaps: a crash now and then, a clock that is set, a disk that is slow. */
export const householdOptions = (drawn: SimOptions, machines: number): SimOptions => ({
  ...drawn,
  nodes: machines,
  timing: slowTiming,
  network: {
    ...drawn.network,
    delayMs: Math.min(drawn.network.delayMs, 5),
    jitterMs: Math.min(drawn.network.jitterMs, 20),
    loss: 0,
    duplicate: 0,
    reorder: 0,
    partitionEveryMs: 0,
    flapEveryMs: 0,
    unplugEveryMs: 0,
    pursuitEveryMs: 0,
  },
  disk: { ...drawn.disk, slowEveryMs: 600_000, failEveryMs: 0, rotEveryMs: 0, fullEveryMs: 0 },
  machine: {
    ...drawn.machine,
    crashEveryMs: 3_600_000,
    outageEveryMs: 0,
    sleepEveryMs: 0,
    jumpEveryMs: 600_000,
    misledEveryMs: 0,
    hourEveryMs: 0,
    handOverEveryMs: 0,
  },
  versions: oneVersion,
  // A scene stands for the beginning of a long stretch, so what takes minutes must happen within it.
  upheaval: {
    voterSilentMs: 10_000,
    voterStableMs: 15_000,
    wipeEveryMs: 0,
    restoreEveryMs: 0,
    departEveryMs: 0,
    removeEveryMs: 0,
  },
  // What its people want of each machine is a matter of the household, said once.
  work: {
    ...drawn.work,
    lockEveryMs: 20_000,
    jobEveryMs: 60_000,
    readEveryMs: 30_000,
    kvEveryMs: 30_000,
    pinEveryMs: 0,
  },
});

/** All times at which a machine of the household falls asleep or wakes, in order. Overlapping windows are one. */
export function schedule(habits: readonly Habit[], days: number, random: Random): Transition[] {
  const transitions: Transition[] = [];
  habits.forEach((habit, machine) => {
    let awakeUntilMs = -1;
    for (let day = 0; day < days; day++) {
      for (const [fromHour, toHour] of habit.windows(random, day)) {
        const fromMs = (day * 24 + fromHour) * hourMs;
        const toMs = (day * 24 + toHour) * hourMs;
        if (toMs <= awakeUntilMs || toMs <= fromMs) continue;
        if (fromMs > awakeUntilMs) {
          if (awakeUntilMs >= 0) transitions.push({ atMs: awakeUntilMs, machine, awake: false });
          transitions.push({ atMs: fromMs, machine, awake: true });
        }
        awakeUntilMs = toMs;
      }
    }
  });
  return transitions.sort((left, right) => left.atMs - right.atMs || left.machine - right.machine);
}
