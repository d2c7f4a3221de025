/**
 * `npm run bench -- --quick` measures a swarm of three node processes alone; `npm run bench -- coordination` measures
 * it beside the rivals that are installed. JSON goes to standard output, progress and tables to standard error.
 */
import { parseArgs } from 'node:util';
import { rowNames, runCoordination, type RowName } from './bench/coordination.ts';
import { full, quick, runSwarmBench } from './bench/swarm-bench.ts';

const usage = `usage: npm run bench -- [--quick]
       npm run bench -- coordination [OPTIONS]
  --quick               a swarm alone, in a minute or two
  --rows LIST           of ${rowNames.join(', ')} (default: all)
  --no-rivals           Skein alone
  --failovers N         of each kind; rivals get a quarter, at most 10 (default 10)
  --rounds N            turns of each system (default 3)
  --slice-ms N          how long a turn lasts (default 1500)
  --cold-entries N      of the log to start from (default 1000000)
  --simulator-seeds N   (default 8)`;

/** What was asked for cannot be done: a complaint for people, answered with the usage. */
class UsageError extends Error {}

function parse() {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      options: {
        quick: flag,
        help: flag,
        rows: { type: 'string' },
        'no-rivals': flag,
        failovers: text('10'),
        rounds: text('3'),
        'slice-ms': text('1500'),
        'cold-entries': text('1000000'),
        'simulator-seeds': text('8'),
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parse>['values'];

function rows(values: Values): readonly RowName[] {
  if (values.rows === undefined) return rowNames;
  return values.rows.split(',').map((name) => {
    const found = rowNames.find((row) => row === name);
    if (found === undefined) throw new UsageError(`there is no row “${name}”; there are ${rowNames.join(', ')}`);
    return found;
  });
}

function count(values: Values, name: 'failovers' | 'rounds' | 'slice-ms' | 'cold-entries' | 'simulator-seeds'): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 1) throw new UsageError(`--${name} takes a whole number from 1 on`);
  return number;
}

async function main(): Promise<number> {
  const { values, positionals } = parse();
  const [what = 'swarm'] = positionals;
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (what === 'coordination')
    return runCoordination({
      rows: rows(values),
      rivals: !values['no-rivals'],
      plan: { rounds: count(values, 'rounds'), sliceMs: count(values, 'slice-ms') },
      trials: count(values, 'failovers'),
      rivalTrials: Math.min(10, Math.max(2, Math.floor(count(values, 'failovers') / 4))),
      coldEntries: count(values, 'cold-entries'),
      simulatorSeeds: count(values, 'simulator-seeds'),
    });
  if (what === 'swarm') return runSwarmBench(values.quick ? quick : full);
  throw new UsageError(`there is no bench “${what}”`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`${usage}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// A rival's client may keep a timer or a socket; everything of ours is closed by now.
process.exit();
