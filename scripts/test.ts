/** `npm test`: everything that can be tested on this machine, and one line that sums it up. */
import { finish, runEndToEnd, runLongRuns, runModels, runSimulator, runVitest, sum, type Tally } from './test-runs.ts';

const minuteMs = 60_000;
const args = process.argv.slice(2);
const tallies: Tally[] = [];

if (args.length > 0) {
  // A file or a filter was named: only vitest understands those.
  tallies.push(await runVitest(['node', 'renderer', 'integration'], { timeoutMs: 10 * minuteMs, args }));
} else {
  // Integration has a run of its own, so that its time limits are not spent waiting for the others' cores.
  tallies.push(await runVitest(['node', 'renderer'], { timeoutMs: 5 * minuteMs }));
  tallies.push(await runVitest(['integration'], { timeoutMs: 5 * minuteMs }));
  tallies.push(await runSimulator(100, 10 * minuteMs));
  tallies.push(await runModels(4 * minuteMs));
  tallies.push(await runEndToEnd(12 * minuteMs));
  tallies.push(await runLongRuns(5 * minuteMs));
}
finish(sum(tallies));
