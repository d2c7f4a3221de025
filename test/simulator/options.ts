import type { Random } from '../../src-main/core/machine/random.ts';
import type { NodeTiming } from '../../src-main/core/machine/timing.ts';
import { between, chance, type Forks } from './forks.ts';

/** What one seed decides about its world. Many rates are zero in many seeds (swarm testing). */
export interface SimOptions {
  readonly nodes: number;
  readonly stormMs: number;
  /** What differs from the timers as shipped. */
  readonly timing: Partial<NodeTiming>;
  readonly network: {
    readonly delayMs: number;
    readonly jitterMs: number;
    readonly loss: number;
    readonly duplicate: number;
    readonly reorder: number;
    /** Mean time between partitions; 0 for none. */
    readonly partitionEveryMs: number;
    readonly oneWayShare: number;
    readonly flapEveryMs: number;
    /** Mean time between machines that lose all their connections at once; 0 for none. */
    readonly unplugEveryMs: number;
    /** Mean time between cuts that follow the coordinator; 0 for none. */
    readonly pursuitEveryMs: number;
  };
  readonly disk: {
    readonly syncMs: number;
    readonly slowEveryMs: number;
    readonly failEveryMs: number;
    /** Between power cuts after which a disk gives back something else than was written. */
    readonly rotEveryMs: number;
    /** Between disks that fill up for a while. */
    readonly fullEveryMs: number;
    readonly tearShare: number;
  };
  readonly machine: {
    readonly crashEveryMs: number;
    readonly downMs: number;
    /** Several crash at once. */
    readonly outageEveryMs: number;
    readonly sleepEveryMs: number;
    readonly sleepMs: number;
    readonly drift: number;
    readonly jumpEveryMs: number;
    /** Mean time between time servers that go wrong for everybody, a step at a time; 0 for none. */
    readonly misledEveryMs: number;
    /** Mean time in which an hour passes on everybody's calendar; 0 where they keep step with the clocks. */
    readonly hourEveryMs: number;
    /** Mean time between hand-overs by whoever coordinates. */
    readonly handOverEveryMs: number;
  };
  readonly upheaval: {
    /** How long a learner must be steady to take the seat of a silent voter; ten minutes as shipped. */
    readonly voterStableMs: number;
    /** How long a voter may be silent where one more silence would stop everything; ten seconds as shipped. */
    readonly voterSilentMs: number;
    /** Mean time between lost state directories; 0 for none. */
    readonly wipeEveryMs: number;
    /** Between disks that return to an earlier state. */
    readonly restoreEveryMs: number;
    /** Between machines that say goodbye before they sleep or stop. */
    readonly departEveryMs: number;
    /** Between members that are removed, and later admitted again. */
    readonly removeEveryMs: number;
  };
  /** Two versions of the program in one swarm. */
  readonly versions: {
    /** Machines that begin with the older program; 0 for a world in which there is none. */
    readonly olderShare: number;
    /** Of their restarts, how many are updates. */
    readonly updateShare: number;
    /** Mean time between updates at other moments; 0 for none. */
    readonly updateEveryMs: number;
    /** Between machines on which the older program is put back. */
    readonly downgradeEveryMs: number;
    /** After the storm only those machines are updated that cannot go on otherwise. */
    readonly endsMixed: boolean;
    /** Of the jobs of the newer program, how many have a priority. */
    readonly priorityShare: number;
  };
  readonly work: {
    readonly lockEveryMs: number;
    readonly lockNames: number;
    readonly jobEveryMs: number;
    readonly taskMs: number;
    /** Mean time between linearizable reads of one machine; 0 for none. */
    readonly readEveryMs: number;
    /** Mean time between wishes of one machine's owner about who coordinates; 0 for none. */
    readonly pinEveryMs: number;
    readonly failShare: number;
    readonly lockedJobShare: number;
    readonly cancelShare: number;
    readonly kvEveryMs: number;
    /** Mean time between renewals of one session that come just when it is about to end; 0 for none. */
    readonly lateRenewalEveryMs: number;
    /** Results that are reported once more, later. */
    readonly repeatedResultShare: number;
  };
}

const maybe = (random: Random, probability: number, low: number, high: number): number => {
  const value = between(random, low, high);
  return chance(random, probability) ? value : 0;
};

export function drawOptions(forks: Forks): SimOptions {
  const sizes = forks.named('options/size');
  const network = forks.named('options/network');
  const disk = forks.named('options/disk');
  const troubles = forks.named('options/disk-troubles');
  const machine = forks.named('options/machine');
  const work = forks.named('options/work');
  const upheaval = forks.named('options/upheaval');
  const small = 1 + sizes.below(6);
  const kv = forks.named('options/kv');
  const repeats = forks.named('options/repeats');
  const renewals = forks.named('options/renewals');
  return {
    // Five voters need seven machines.
    nodes: chance(upheaval, 0.08) ? 7 : small,
    stormMs: between(sizes, 60_000, 240_000),
    timing: {},
    network: {
      delayMs: between(network, 0.1, 30),
      jitterMs: maybe(network, 0.6, 0, 200),
      loss: maybe(network, 0.5, 0, 0.2),
      duplicate: maybe(network, 0.4, 0, 0.1),
      reorder: maybe(network, 0.4, 0, 0.2),
      partitionEveryMs: maybe(network, 0.5, 5_000, 40_000),
      oneWayShare: maybe(network, 0.5, 0, 1),
      flapEveryMs: maybe(network, 0.4, 3_000, 30_000),
      pursuitEveryMs: maybe(forks.named('options/pursuit'), 0.25, 5_000, 20_000),
      unplugEveryMs: maybe(forks.named('options/unplug'), 0.3, 3_000, 30_000),
    },
    disk: {
      syncMs: between(disk, 0.1, 20),
      slowEveryMs: maybe(disk, 0.3, 5_000, 40_000),
      failEveryMs: maybe(disk, 0.2, 30_000, 120_000),
      rotEveryMs: maybe(troubles, 0.3, 10_000, 60_000),
      fullEveryMs: maybe(troubles, 0.3, 5_000, 60_000),
      tearShare: maybe(disk, 0.5, 0, 1),
    },
    machine: {
      crashEveryMs: maybe(machine, 0.6, 5_000, 60_000),
      downMs: between(machine, 200, 15_000),
      outageEveryMs: maybe(machine, 0.3, 20_000, 90_000),
      sleepEveryMs: maybe(machine, 0.3, 10_000, 60_000),
      sleepMs: between(machine, 500, 40_000),
      drift: maybe(machine, 0.5, 0, 0.01),
      jumpEveryMs: maybe(machine, 0.3, 10_000, 60_000),
      misledEveryMs: maybe(forks.named('options/misled'), 0.25, 15_000, 60_000),
      hourEveryMs: maybe(forks.named('options/hours'), 0.5, 1_000, 15_000),
      handOverEveryMs: maybe(machine, 0.5, 3_000, 40_000),
    },
    upheaval: {
      voterStableMs: between(upheaval, 2_000, 20_000),
      voterSilentMs: between(forks.named('options/silence'), 1_000, 10_000),
      wipeEveryMs: maybe(upheaval, 0.4, 8_000, 40_000),
      restoreEveryMs: maybe(upheaval, 0.3, 8_000, 40_000),
      departEveryMs: maybe(upheaval, 0.4, 4_000, 30_000),
      removeEveryMs: maybe(upheaval, 0.3, 10_000, 40_000),
    },
    versions: drawVersions(forks.named('options/versions')),
    work: {
      lockEveryMs: between(work, 300, 4_000),
      lockNames: 1 + work.below(3),
      jobEveryMs: between(work, 1_000, 10_000),
      taskMs: between(work, 50, 6_000),
      failShare: maybe(work, 0.5, 0, 0.4),
      lockedJobShare: maybe(work, 0.4, 0, 0.5),
      cancelShare: maybe(work, 0.3, 0, 0.2),
      readEveryMs: maybe(work, 0.7, 50, 3_000),
      pinEveryMs: maybe(work, 0.4, 5_000, 60_000),
      kvEveryMs: between(kv, 300, 5_000),
      repeatedResultShare: maybe(repeats, 0.3, 0, 0.3),
      lateRenewalEveryMs: maybe(renewals, 0.3, 1_000, 15_000),
    },
  };
}

/** No older program anywhere, and none of what only newer ones know. */
export const oneVersion: SimOptions['versions'] = {
  olderShare: 0,
  updateShare: 0,
  updateEveryMs: 0,
  downgradeEveryMs: 0,
  endsMixed: false,
  priorityShare: 0,
};

function drawVersions(random: Random): SimOptions['versions'] {
  if (!chance(random, 0.3)) return oneVersion;
  return {
    olderShare: between(random, 0.2, 1),
    updateShare: maybe(random, 0.6, 0, 0.6),
    updateEveryMs: maybe(random, 0.7, 3_000, 30_000),
    downgradeEveryMs: maybe(random, 0.3, 10_000, 60_000),
    endsMixed: chance(random, 0.3),
    priorityShare: between(random, 0.1, 0.9),
  };
}

/** A world in which the memory of one machine is altered: enough of them to tell who is right, and no other losses. */
export function drawAlteration(forks: Forks): SimOptions {
  const drawn = drawDrill(forks);
  return { ...drawn, nodes: 3 + forks.named('options/alteration').below(3), stormMs: 2 * drawn.stormMs };
}

/** A world for drills of recovery: its own faults are crashes, sleep and slow networks; machines are lost by the drill. */
export function drawDrill(forks: Forks): SimOptions {
  const drawn = drawOptions(forks);
  const none = { wipeEveryMs: 0, restoreEveryMs: 0, departEveryMs: 0, removeEveryMs: 0 };
  return {
    ...drawn,
    nodes: 2 + forks.named('options/drill').below(4),
    network: { ...drawn.network, partitionEveryMs: 0, pursuitEveryMs: 0, unplugEveryMs: 0 },
    disk: { ...drawn.disk, failEveryMs: 0, rotEveryMs: 0 },
    upheaval: { ...drawn.upheaval, ...none },
    // A forced new quorum may go back to before a level was raised.
    versions: oneVersion,
  };
}
