import { households } from './household.ts';
import type { HouseholdReport } from './living.ts';
import { simulate } from './world.ts';

interface Wanted {
  /** Null for every kind. */
  readonly name: string | null;
  readonly days: number;
  readonly firstSeed: number;
  readonly lives: number;
  /** Nobody says goodbye before it sleeps. */
  readonly silent: boolean;
  readonly print: boolean;
}

const hourMs = 3_600_000;

/** Each kind of household lives so many times, with the same seeds, and is printed in one line. Answers whether all held. */
export function runHouseholds({ name, days, firstSeed, lives, silent, print }: Wanted): boolean {
  const names = Object.keys(households).filter((known) => name === null || known === name);
  if (names.length === 0) console.log(`no household is called so; there are: ${Object.keys(households).join(', ')}`);
  let failed = 0;
  for (const each of names) {
    const lived: HouseholdReport[] = [];
    const began = process.cpuUsage();
    let simulatedMs = 0;
    for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
      const outcome = simulate(seed, print, { name: each, days, silent });
      simulatedMs += outcome.simulatedMs;
      if (outcome.violation === null && outcome.household !== null) lived.push(outcome.household);
      else {
        failed += 1;
        const { claim, detail } = outcome.violation ?? { claim: 'no report', detail: '' };
        for (const line of outcome.tail.slice(-25)) console.log(`  ${line.slice(0, 400)}`);
        console.log(`household "${each}" seed ${seed} FAILED: ${claim}: ${detail.slice(0, 600)}`);
      }
    }
    const used = process.cpuUsage(began);
    const coreHours = (used.user + used.system) / 3_600_000_000;
    console.log(lineOf(each, lived, lived.length * days, simulatedMs / hourMs, coreHours));
  }
  return failed === 0 && names.length > 0;
}

function lineOf(
  name: string,
  lived: readonly HouseholdReport[],
  days: number,
  hours: number,
  coreHours: number,
): string {
  const sum = (part: (report: HouseholdReport) => number): number => lived.reduce((all, one) => all + part(one), 0);
  const share = (part: (report: HouseholdReport) => number, whole: (report: HouseholdReport) => number): string =>
    ((100 * sum(part)) / sum(whole)).toFixed(3);
  const worst = Math.min(...lived.map(({ coordinatedMs, someoneAwakeMs }) => (100 * coordinatedMs) / someoneAwakeMs));
  const outageMs = Math.max(...lived.map(({ longestOutageMs }) => longestOutageMs));
  return [
    `${name.padEnd(32)} ${lived.length} lives, ${days} days, ${sum(({ transitions }) => transitions)} sleeps and wakes`,
    `coordinated ${share(
      (one) => one.coordinatedMs,
      (one) => one.someoneAwakeMs,
    )} % of the time somebody was awake (worst life ${worst.toFixed(3)} %, possible ${share(
      (one) => one.possibleMs,
      (one) => one.someoneAwakeMs,
    )} %)`,
    `${share(
      (one) => one.coordinatedTwoMs,
      (one) => one.twoAwakeMs,
    )} % of the time two were (possible ${share(
      (one) => one.possibleTwoMs,
      (one) => one.twoAwakeMs,
    )} %)`,
    `longest outage ${(outageMs / hourMs).toFixed(1)} h`,
    `${(sum(({ coordinatorChanges }) => coordinatorChanges) / days).toFixed(2)} changes of coordinator a day`,
    `${hours.toFixed(1)} h simulated in full, ${(hours / coreHours).toFixed(0)} per core-hour`,
    `${((days * 24) / coreHours).toFixed(0)} h lived per core-hour`,
  ].join(', ');
}
