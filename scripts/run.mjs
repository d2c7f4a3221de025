/** `node scripts/run.mjs TASK [ARGS…]`: sets the clone up if need be, then runs the task on Node 24. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { report, root, runOn, setUp, SetUpError } from './set-up.mjs';

const elsewhere = { simulate: 'test/simulator/simulate.ts' };

async function main([task, ...args]) {
  if (task === undefined || !/^[a-z][a-z-]*$/.test(task)) {
    throw new SetUpError('no task was named', 'see "scripts" in package.json for the tasks there are');
  }
  const candidates = [join(root, 'scripts', `${task}.ts`)];
  if (elsewhere[task] !== undefined) candidates.push(join(root, elsewhere[task]));
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new SetUpError(`there is no task "${task}"`, 'see "scripts" in package.json for the tasks there are');
  }
  runOn(await setUp(), file, args);
}

main(process.argv.slice(2)).catch(report);
