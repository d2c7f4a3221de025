import { majority } from '../../src-main/core/machine/quorum.ts';
import { hourMs, type Transition } from './household.ts';

/** A set of machines, one bit each. */
type Machines = number;

const sizes: readonly number[] = [1, 3, 5];

/**
 * The most time, in milliseconds, that could have been coordinated while at least `awakeMin` machines were awake: by
 * somebody who knows all sleeps and wakes of the days to come, but changes voters only as the protocol can. One, three or
 * five vote; coordination and a change both need a majority of the voters awake, and a change one of the next voters
 * too. Backwards over the stretches between transitions: what is the best that can still come with these voters?
 */
export function bestPossible(transitions: readonly Transition[], days: number, awakeMin: number): number {
  const stretches = stretchesOf(transitions, days * 24 * hourMs);
  const machines = 1 + Math.max(0, ...transitions.map(({ machine }) => machine));
  const configurations = Array.from({ length: 2 ** machines }, (_, set) => set).filter((set) =>
    sizes.includes(countOf(set)),
  );
  let best = new Map<Machines, number>(configurations.map((voters) => [voters, 0]));
  for (const { awake, forMs } of stretches.reverse()) {
    const able = configurations.filter((voters) => countOf(voters & awake) >= majority(countOf(voters)));
    const counted = countOf(awake) >= awakeMin ? forMs : 0;
    const moved = counted + Math.max(0, ...able.map((voters) => best.get(voters) ?? 0));
    best = new Map([...best, ...able.map((voters) => [voters, moved] as const)]);
  }
  return Math.max(0, ...best.values());
}

interface Stretch {
  readonly awake: Machines;
  readonly forMs: number;
}

function stretchesOf(transitions: readonly Transition[], endMs: number): Stretch[] {
  const stretches: Stretch[] = [];
  let [awake, sinceMs] = [0, 0];
  for (const { atMs, machine, awake: wakes } of transitions) {
    stretches.push({ awake, forMs: atMs - sinceMs });
    awake = wakes ? awake | (1 << machine) : awake & ~(1 << machine);
    sinceMs = atMs;
  }
  // The last transitions may come after midnight.
  stretches.push({ awake, forMs: Math.max(0, endMs - sinceMs) });
  return stretches;
}

function countOf(machines: Machines): number {
  let count = 0;
  for (let left = machines; left !== 0; left &= left - 1) count += 1;
  return count;
}
