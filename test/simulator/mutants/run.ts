import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const simulator = fileURLToPath(new URL('../simulate.ts', import.meta.url));

interface Verdict {
  readonly caught: boolean;
  readonly seeds: number;
  readonly claim: string;
}

/** Runs every mutant in a process of its own until a checker catches it, and prints who did. False if one survives. */
export function runMutants(names: readonly string[]): boolean {
  const seedsNeeded: number[] = [];
  const chosen = mutants.filter((mutant) => names.length === 0 || names.includes(mutant.name));
  for (const mutant of chosen) {
    const verdict = judge(mutant);
    if (verdict.caught) seedsNeeded.push(verdict.seeds);
    const word = verdict.caught ? `caught by seed ${verdict.seeds}` : `SURVIVED ${mutant.seedsMax} seeds`;
    console.log(`${mutant.name.padEnd(34)} ${word.padEnd(22)} ${verdict.claim}`);
  }
  seedsNeeded.sort((left, right) => left - right);
  const median = seedsNeeded[Math.floor(seedsNeeded.length / 2)] ?? 0;
  const worst = seedsNeeded.at(-1) ?? 0;
  console.log(`${chosen.length} mutants, ${seedsNeeded.length} caught; seeds needed: median ${median}, worst ${worst}`);
  return seedsNeeded.length === chosen.length;
}

function judge(mutant: Mutant): Verdict {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      simulator,
      '--mutant',
      mutant.name,
      '--seeds',
      String(mutant.seedsMax),
      ...(mutant.drill === true ? ['--drill'] : []),
      ...(mutant.alteration === true ? ['--alteration'] : []),
    ],
    { encoding: 'utf8', maxBuffer: 64 * 1_024 * 1_024, timeout: 30 * 60_000 },
  );
  const found = /seed (\d+) FAILED: (.*)/.exec(stdout);
  if (found !== null) return { caught: true, seeds: Number(found[1]), claim: (found[2] ?? '').slice(0, 150) };
  const failure = stdout.includes(' 0 failed') ? '' : `the run itself failed: ${stderr.slice(-300)}`;
  return { caught: false, seeds: mutant.seedsMax, claim: failure };
}
