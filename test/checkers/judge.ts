/**
 * Judges recorded histories: `node test/checkers/judge.ts [--expect VERDICTS] [--seconds N] FILE…`. Reads the
 * project's own JSON lines and the logs of two well-known checkers' test data. With `--expect`, a file of lines
 * `name linearizable|violation`, every verdict must agree. Exit code 0: all are fine, or all agree.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { importHistory } from './importers.ts';
import { checkLinearizability } from './linearizability.ts';
import { checkWitness } from './witness.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { expect: { type: 'string' }, seconds: { type: 'string', default: '30' } },
});
const expected = new Map<string, string>();
if (values.expect !== undefined) {
  for (const line of readFileSync(values.expect, 'utf8').split('\n')) {
    const [name, verdict] = line.trim().split(/\s+/);
    if (name !== undefined && verdict !== undefined) expected.set(name, verdict === 'linearizable' ? 'ok' : verdict);
  }
}

let [agreed, disagreed, violations, undecided, witnessed] = [0, 0, 0, 0, 0];
const began = performance.now();
for (const file of positionals) {
  const operations = importHistory(readFileSync(file, 'utf8'));
  const startedAt = performance.now();
  const judgement = checkLinearizability(operations, { withinMs: Number(values.seconds) * 1_000 });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2);
  const wanted = expected.get(basename(file));
  if (judgement.verdict === 'violation') violations += 1;
  if (judgement.verdict === 'unknown') undecided += 1;
  if (wanted !== undefined) wanted === judgement.verdict ? (agreed += 1) : (disagreed += 1);
  const note = wanted === undefined ? '' : wanted === judgement.verdict ? ' (agrees)' : ` (EXPECTED ${wanted})`;
  console.log(
    `${judgement.verdict.padEnd(9)} ${basename(file)}: ${judgement.operations} operations, ${judgement.configurations} configurations, ${seconds} s${note}`,
  );
  if (judgement.detail !== '' && wanted !== judgement.verdict) console.log(`  ${judgement.detail}`);
  if (!operations.some(({ index }) => index !== undefined)) continue;
  const problems = checkWitness(operations);
  witnessed += 1;
  if (problems.length > 0) violations += 1;
  for (const problem of problems.slice(0, 10)) console.log(`  witness: ${problem}`);
}
const seconds = ((performance.now() - began) / 1_000).toFixed(1);
console.log(
  `judged ${positionals.length} histories (${witnessed} with a witness) in ${seconds} s: ${violations} violations, ${undecided} undecided` +
    (expected.size === 0 ? '' : `; ${agreed} verdicts agree, ${disagreed} do not`),
);
if (positionals.length === 0) {
  console.error('usage: node test/checkers/judge.ts [--expect VERDICTS] [--seconds N] FILE…');
  process.exitCode = 2;
} else if (expected.size > 0 ? disagreed > 0 || agreed === 0 : violations + undecided > 0) process.exitCode = 1;
