/**
 * Cuts the power at every moment of many drawn runs of the journal and of the small-file writer, and recovers every disk
 * that may be left (after Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014, section 4).
 *
 *   node test/crash-states/run.ts --images 100000 [--seed 1]
 */
import { parseArgs } from 'node:util';
import { enumerate, type Tally, type Writer } from './enumerate.ts';
import { fullForAWhile, oneFailedSync } from './faults.ts';
import { fileWriter } from './file-writer.ts';
import { journalWriter } from './journal-writer.ts';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const wanted = Number(values.images);
const writers: readonly { readonly writer: Writer; readonly share: number }[] = [
  { writer: journalWriter(), share: 0.4 },
  { writer: journalWriter({ name: 'the journal on a disk that fails a sync', faults: oneFailedSync }), share: 0.2 },
  { writer: journalWriter({ name: 'the journal on a disk that is full', faults: fullForAWhile }), share: 0.2 },
  { writer: fileWriter(), share: 0.1 },
  { writer: fileWriter({ name: 'a small file on a disk that is full', faults: fullForAWhile }), share: 0.05 },
  { writer: fileWriter({ name: 'a small file on a disk that fails a sync', faults: oneFailedSync }), share: 0.05 },
];

let violations = 0;
let images = 0;
for (const { writer, share } of writers) {
  const tally: Tally = { images: 0, moments: 0, again: 0, violation: null };
  const from = performance.now();
  let seed = Number(values.seed);
  for (; tally.images < wanted * share && tally.violation === null; seed++)
    await enumerate(writer, seed, { imagesPerMoment: 60, tally });
  const seconds = ((performance.now() - from) / 1_000).toFixed(1);
  const runs = seed - Number(values.seed);
  images += tally.images + tally.again;
  if (tally.violation !== null) violations += 1;
  console.log(
    `${writer.name}: ${runs} runs, ${tally.moments} power cuts, ${tally.images} disks, ${tally.again} in recovery, ${seconds} s: ${tally.violation ?? 'ok'}`,
  );
}
console.log(`${images} disks recovered, ${violations} violations`);
process.exitCode = violations === 0 ? 0 : 1;
