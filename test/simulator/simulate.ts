/**
 * Runs seeds of the simulated swarm: `node test/simulator/simulate.ts --seeds N [--from S] [--twice]`,
 * `--drill` for recoveries by a forced new quorum, `--alteration` for a machine whose memory is altered,
 * `--seed S --transcript` for one in full, `--mutants` for the table of deliberate faults and who catches them.
 * `--histories DIR` writes what clients did and were told, one file a seed (test/checkers/history.ts).
 * Windows and snapshot intervals are small unless `--shipped-limits`, so that minutes reach what else takes days.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeHistory } from '../checkers/history.ts';

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch (cause) {
    return `unknown (${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)})`;
  }
}

const usage = `simulate: whole swarms in virtual time, with faults, under checkers

  --seeds N          worlds to run (20)          --from S     the first seed (1)
  --seed S           one world                   --transcript every step of it
  --twice            each world twice: the same course must be taken again
  --found            the worlds of seeds.json, which once found something
  --drill            in each world a new quorum is forced; --alteration: the memory of a machine is altered
  --households       everyday lives instead of storms: who wakes and sleeps when; --days N (28), --seeds N lives
                     of each (1), --household NAME for one kind, --silent where nobody says goodbye
  --mutants          deliberate faults, and which checker catches each; --mutant NAME for one
  --histories DIR    what clients did and were told, a file a world
  --shipped-limits   windows and snapshot intervals as shipped; without it they are small`;

function refuse(complaint: string): never {
  console.error(`simulate: ${complaint}\n\n${usage}`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        seed: { type: 'string' },
        transcript: { type: 'boolean', default: false },
        twice: { type: 'boolean', default: false },
        mutants: { type: 'boolean', default: false },
        mutant: { type: 'string' },
        drill: { type: 'boolean', default: false },
        found: { type: 'boolean', default: false },
        alteration: { type: 'boolean', default: false },
        'shipped-limits': { type: 'boolean', default: false },
        households: { type: 'boolean', default: false },
        days: { type: 'string' },
        household: { type: 'string' },
        silent: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        histories: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const values = parse();

/** What the flag says, as a whole number from `least` on; `otherwise` where it is not given. */
function wholeNumber(flag: 'seeds' | 'from' | 'seed' | 'days', otherwise: number, least = 1): number {
  const number = Number(values[flag] ?? otherwise);
  return Number.isSafeInteger(number) && number >= least
    ? number
    : refuse(`--${flag} takes a whole number from ${least} on`);
}

const firstSeed = wholeNumber('seed', wholeNumber('from', 1, 0), 0);

/** What became of altered memory; empty where none was altered. */
function foundWords({ foundAfter }: { readonly foundAfter: number | null | undefined }): string {
  if (foundAfter === undefined) return '';
  return foundAfter === null ? ', altered memory gone with its process' : `, found after ${foundAfter} entries`;
}

type WorldKind = 'storm' | 'drill' | 'alteration';

/** Worlds in which something was found, kept to be run again and again. */
const foundWorlds = (): readonly { readonly seed: number; readonly kind: WorldKind }[] =>
  JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as never;

async function runSeeds(): Promise<boolean> {
  const { mutantNamed, rewriteSources, smallLimits } = await import('./mutants/inject.ts');
  rewriteSources([
    ...(values['shipped-limits'] ? [] : smallLimits),
    ...(values.mutant === undefined
      ? []
      : (mutantNamed(values.mutant) ?? refuse(`there is no mutant ${values.mutant}`))),
  ]);
  const { simulate, simulateAlteration, simulateDrill } = await import('./world.ts');
  const { drawOptions } = await import('./options.ts');
  const { Forks } = await import('./forks.ts');
  const kind: WorldKind = values.drill ? 'drill' : values.alteration ? 'alteration' : 'storm';
  const first = firstSeed;
  const drawn = Array.from({ length: values.seed === undefined ? wholeNumber('seeds', 20) : 1 }, (_, at) => first + at);
  const worlds = values.found ? foundWorlds() : drawn.map((seed) => ({ seed, kind }));
  const count = worlds.length;
  console.log(`${values.found ? 'kept seeds' : `seeds ${first} to ${first + count - 1}`} at commit ${commit()}`);
  const began = process.cpuUsage();
  let [simulatedMs, failed, bereft, operations, windows, undecided] = [0, 0, 0, 0, 0, 0];
  if (values.histories !== undefined) mkdirSync(values.histories, { recursive: true });
  for (const world of worlds) {
    const { seed } = world;
    if (values.transcript) console.log(`options ${JSON.stringify(drawOptions(new Forks(seed)))}`);
    const run = { storm: simulate, drill: simulateDrill, alteration: simulateAlteration }[world.kind];
    const outcome = run(seed, values.transcript);
    simulatedMs += outcome.simulatedMs;
    bereft += outcome.bereft ? 1 : 0;
    operations += outcome.history.length;
    windows += outcome.searched.windows;
    undecided += outcome.searched.undecided;
    if (values.histories !== undefined)
      writeFileSync(join(values.histories, `seed-${seed}.jsonl`), writeHistory(outcome.history));
    const again = values.twice ? run(seed).hash : outcome.hash;
    const seconds = (outcome.simulatedMs / 1_000).toFixed(0);
    if (outcome.violation !== null || again !== outcome.hash) {
      failed += 1;
      console.log(`options ${JSON.stringify(drawOptions(new Forks(seed)))}`);
      for (const line of outcome.tail.slice(-25)) console.log(`  ${line.slice(0, 400)}`);
      const claim = outcome.violation?.claim ?? 'the second run took another course';
      console.log(`seed ${seed} FAILED: ${claim}: ${outcome.violation?.detail.slice(0, 600) ?? again}`);
      if (values.mutant !== undefined) break;
    } else if (count <= 50)
      console.log(
        `seed ${seed} ok: ${outcome.slots} slots in ${seconds} s, ${outcome.lines} lines, ${outcome.hash}${foundWords(outcome)}${outcome.bereft ? ', its voters lost as they were chosen' : ''}`,
      );
  }
  const hours = simulatedMs / 3_600_000;
  const used = process.cpuUsage(began);
  const coreHours = (used.user + used.system) / 3_600_000_000;
  console.log(
    `${count} seeds, ${failed} failed, ${bereft} lost their voters as they were chosen, ${operations} operations in ${windows} windows (${undecided} undecided), ${hours.toFixed(2)} simulated hours, ${(hours / coreHours).toFixed(0)} per core-hour`,
  );
  return failed === 0;
}

if (values.help) {
  console.log(usage);
} else if (values.households) {
  const { rewriteSources, smallLimits } = await import('./mutants/inject.ts');
  rewriteSources(values['shipped-limits'] ? [] : smallLimits);
  const { runHouseholds } = await import('./run-households.ts');
  const days = wholeNumber('days', 28);
  console.log(`households of ${days} days at commit ${commit()}${values.silent ? ', where nobody says goodbye' : ''}`);
  const wanted = {
    name: values.household ?? null,
    days,
    firstSeed,
    lives: values.seed === undefined ? wholeNumber('seeds', 1) : 1,
    silent: values.silent,
    print: values.transcript,
  };
  if (!runHouseholds(wanted)) process.exitCode = 1;
} else if (values.mutants) {
  const { runMutants } = await import('./mutants/run.ts');
  if (!runMutants(values.mutant === undefined ? [] : [values.mutant])) process.exitCode = 1;
} else if (!(await runSeeds())) process.exitCode = 1;
