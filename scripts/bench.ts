/**
 * `npm run bench -- --quick` measures a swarm of three node processes alone; `npm run bench -- coordination` measures
 * it beside the rivals that are installed. JSON goes to standard output, progress and tables to standard error.
 */
import { parseArgs } from 'node:util';
import { rowNames, runCoordination, type RowName } from './bench/coordination.ts';
import { full, quick, runSwarmBench } from './bench/swarm-bench.ts';

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    /** Rows of the comparison, by name, with commas; all of them unless given. */
    rows: { type: 'string' },
    'no-rivals': { type: 'boolean', default: false },
    /** Trials of each kind of failover; rivals get a quarter, at most 10. */
    failovers: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    'slice-ms': { type: 'string', default: '1500' },
    'cold-entries': { type: 'string', default: '1000000' },
    'simulator-seeds': { type: 'string', default: '8' },
  },
  allowPositionals: true,
});

function rows(): readonly RowName[] {
  if (values.rows === undefined) return rowNames;
  return values.rows.split(',').map((name) => {
    const found = rowNames.find((row) => row === name);
    if (found === undefined) throw new Error(`there is no row “${name}”; there are ${rowNames.join(', ')}`);
    return found;
  });
}

function count(name: 'failovers' | 'rounds' | 'slice-ms' | 'cold-entries' | 'simulator-seeds'): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} takes a whole number from 1 on`);
  return number;
}

async function main(): Promise<number> {
  const [what = 'swarm'] = positionals;
  if (what === 'coordination')
    return runCoordination({
      rows: rows(),
      rivals: !values['no-rivals'],
      plan: { rounds: count('rounds'), sliceMs: count('slice-ms') },
      trials: count('failovers'),
      rivalTrials: Math.min(10, Math.max(2, Math.floor(count('failovers') / 4))),
      coldEntries: count('cold-entries'),
      simulatorSeeds: count('simulator-seeds'),
    });
  if (what === 'swarm') return runSwarmBench(values.quick ? quick : full);
  throw new Error(`there is no bench “${what}”; there are: coordination, and the one without a name (--quick)`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// A rival's client may keep a timer or a socket; everything of ours is closed by now.
process.exit();
