import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { mutants, type Mutant } from './mutants.ts';

const simulator = fileURLToPath(new URL('../simulate.ts', import.meta.url));

interface Verdict {
  readonly caught: boolean;
  readonly seeds: number;
  readonly claim: string;
}

/** Runs every mutant in a process of its own until a checker catches it, and prints who did. False if one survives. */
export function runMutants(names: readonly string[]): boolean {
  let survivors = 0;
  const chosen = mutants.filter((mutant) => names.length === 0 || names.includes(mutant.name));
  for (const mutant of chosen) {
    const verdict = judge(mutant);
    if (!verdict.caught) survivors += 1;
    const word = verdict.caught ? `caught by seed ${verdict.seeds}` : `SURVIVED ${mutant.seedsMax} seeds`;
    console.log(`${mutant.name.padEnd(34)} ${word.padEnd(22)} ${verdict.claim}`);
  }
  console.log(`${chosen.length} mutants, ${chosen.length - survivors} caught`);
  return survivors === 0;
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
    ],
    { encoding: 'utf8', maxBuffer: 64 * 1_024 * 1_024, timeout: 30 * 60_000 },
  );
  const found = /seed (\d+) FAILED: (.*)/.exec(stdout);
  if (found !== null) return { caught: true, seeds: Number(found[1]), claim: (found[2] ?? '').slice(0, 150) };
  const failure = stdout.includes(' 0 failed') ? '' : `the run itself failed: ${stderr.slice(-300)}`;
  return { caught: false, seeds: mutant.seedsMax, claim: failure };
}
