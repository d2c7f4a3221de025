import type { NodeId } from '../../shared/domain/ids.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import { between, chance } from './forks.ts';
import { oneVersion, type SimOptions } from './options.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

const hourMs = 3_600_000;

/** Hours of one day, from midnight, in which a machine is awake; they may reach into the next day. */
type Windows = readonly (readonly [fromHour: number, toHour: number])[];

interface Habit {
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

interface Transition {
  readonly atMs: number;
  readonly machine: number;
  readonly awake: boolean;
}

export interface Life {
  readonly days: number;
  /** Nobody says goodbye: as where lids close and batteries end before anything can be said. */
  readonly silent: boolean;
}

export interface HouseholdReport {
  readonly scheduledMs: number;
  readonly transitions: number;
  /** Time in which some machine was wanted awake, crashed or not, and of that the part in which one also coordinated. */
  readonly someoneAwakeMs: number;
  readonly coordinatedMs: number;
  readonly coordinatorChanges: number;
}

/** A LAN that works, with everyday mishaps: a crash now and then, a clock that is set, a disk that is slow. */
export const householdOptions = (drawn: SimOptions, machines: number): SimOptions => ({
  ...drawn,
  nodes: machines,
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
    lockEveryMs: 8_000,
    jobEveryMs: 20_000,
    readEveryMs: 10_000,
    kvEveryMs: 10_000,
    pinEveryMs: 0,
  },
});

/** How long the world is simulated in full after each transition. Longer than a session lives, so that expiry is in it. */
const sceneMs = 45_000;
/** A scene without coordinator goes on for so long at most; restarts and elections take seconds. */
const prolongedMs = 60_000;
const lookEveryMs = 1_000;
/** Most machines say goodbye; a battery that runs out does not. */
const goodbyeShare = 0.85;
const founded = 30_000;
const pinnedMs = 5_000;

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

/**
 * Lives through the schedule. After each transition the world runs in full for a scene; the hours in which nothing
 * but time would pass are left out for everybody at once, as if the whole world stood still.
 */
export function liveThrough(world: World, habits: readonly Habit[], { days, silent }: Life): HouseholdReport {
  const goodbyes = silent ? 0 : goodbyeShare;
  const random = world.forks.named('household');
  const transitions = schedule(habits, days, random);
  world.runUntil(world.queue.now + founded);
  world.nodes.forEach((node, index) => {
    if (habits[index]?.homeBase === true) node.client?.pin(node.id, 'home-base');
  });
  world.runUntil(world.queue.now + pinnedMs);
  firstNight(world, habits, transitions, (node, shutDownShare) =>
    leave(world, node, random, { shutDownShare, goodbyes }),
  );
  let someoneAwakeMs = 0;
  let coordinatedMs = 0;
  let coordinatorChanges = 0;
  let coordinator: string | null = null;
  for (const [index, transition] of transitions.entries()) {
    const node = world.nodes[transition.machine];
    if (node === undefined || world.isBroken) break;
    const gapMs = (transitions[index + 1]?.atMs ?? days * 24 * hourMs) - transition.atMs;
    if (transition.awake) rouse(world, node);
    else leave(world, node, random, { shutDownShare: habits[transition.machine]?.shutDownShare ?? 0, goodbyes });
    const scene = play(world, gapMs);
    someoneAwakeMs += scene.someoneAwakeMs;
    coordinatedMs += scene.coordinatedMs;
    if (scene.leader === null) continue;
    if (coordinator !== null && scene.leader !== coordinator) coordinatorChanges += 1;
    coordinator = scene.leader;
  }
  for (const node of world.nodes) rouse(world, node);
  const scheduledMs = days * 24 * hourMs;
  return { scheduledMs, transitions: transitions.length, someoneAwakeMs, coordinatedMs, coordinatorChanges };
}

/** The evening before: whoever is not awake at midnight goes, one after the other. */
function firstNight(
  world: World,
  habits: readonly Habit[],
  transitions: readonly Transition[],
  goes: (node: SimNode, shutDownShare: number) => void,
): void {
  world.nodes.forEach((node, index) => {
    if (transitions.some(({ atMs, machine }) => atMs === 0 && machine === index)) return;
    goes(node, habits[index]?.shutDownShare ?? 0);
    world.runUntil(world.queue.now + sceneMs);
  });
}

/**
 * Looks every second of a scene who coordinates, and takes its end for the hours behind it. A scene that ends without
 * coordinator goes on for a while, so that a machine that is just starting again does not stand for hours.
 */
function play(world: World, gapMs: number): { someoneAwakeMs: number; coordinatedMs: number; leader: NodeId | null } {
  let [someoneAwakeMs, coordinatedMs, playedMs] = [0, 0, 0];
  let leader: NodeId | null = null;
  for (const end = Math.max(gapMs, 1); playedMs < end && !world.isBroken;) {
    const settled = playedMs >= sceneMs && (leader !== null || playedMs >= sceneMs + prolongedMs);
    const stepMs = settled ? end - playedMs : Math.min(lookEveryMs, end - playedMs);
    if (!settled) world.runUntil(world.queue.now + stepMs);
    const awake = world.nodes.filter((each) => each.up && !each.clock.asleep);
    leader = awake.find(({ machine }) => machine?.role === 'coordinator')?.id ?? null;
    if (world.nodes.some((each) => !each.retired && !each.clock.asleep)) someoneAwakeMs += stepMs;
    if (leader !== null) coordinatedMs += stepMs;
    playedMs += stepMs;
  }
  return { someoneAwakeMs, coordinatedMs, leader };
}

function leave(
  world: World,
  node: SimNode,
  random: Random,
  { shutDownShare, goodbyes }: { readonly shutDownShare: number; readonly goodbyes: number },
): void {
  const shutsDown = chance(random, shutDownShare);
  if (chance(random, goodbyes)) {
    node.tell({ type: 'departing', departure: shutsDown ? 'shutdown' : 'suspend' });
    world.runUntil(world.queue.now + between(random, 100, 2_000));
  }
  rest(world, node, shutsDown);
}

function rest(world: World, node: SimNode, shutsDown: boolean): void {
  world.line(`${node.id} ${shutsDown ? 'is shut down' : 'falls asleep'}`);
  // One that has just crashed stays down until it is wanted again.
  node.retired = shutsDown || !node.up;
  if (node.retired) return node.stop(false);
  node.clock.sleep(1_000 * hourMs);
  world.network.suspend(node.id);
}

function rouse(world: World, node: SimNode): void {
  world.line(`${node.id} wakes`);
  node.retired = false;
  node.clock.wakeNow();
  world.network.resume(node.id);
  node.start();
  node.tell({ type: 'departing', departure: null });
}
