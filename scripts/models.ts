/**
 * `npm run models [-- --quick] [--only PATTERN] [--minutes N] [--trace]`: checks every model in `test/models` and its twins with
 * Spin, and prints what came of each. A search that was cut shows nothing, so it counts as a failure.
 */
import { parseArgs } from 'node:util';
import { checkVariant, isAsExpected, type Verdict } from './model-checker.ts';
import { variants, type Variant } from './model-variants.ts';
import { findModelTools, modelToolsMissing, type ModelTools } from './spin.ts';

const { values } = parseArgs({
  options: {
    /** The slice that `npm test` runs. */
    quick: { type: 'boolean', default: false },
    /** Only variants whose line contains this. */
    only: { type: 'string', default: '' },
    /** For all of them together. */
    minutes: { type: 'string', default: '4' },
    /** Show the steps of every violation, also of the expected ones. */
    trace: { type: 'boolean', default: false },
  },
});

/** Two at a time keep two cores busy within about 4 GB. */
const lanes = 2;
const memoryMib = 1_900;

const nameOf = ({ model, defines }: Variant): string => `${model} ${defines.join(' ')}`;
const columns = (cells: readonly (string | number)[]): string => {
  const [model, variant, expected, result, states, seconds, depth] = cells.map(String);
  const left = `${model?.padEnd(13)} ${variant?.padEnd(38)} ${expected?.padEnd(28)} ${result?.padEnd(28)}`;
  return `${left} ${states?.padStart(10)} ${seconds?.padStart(7)} ${depth?.padStart(6)}`;
};

function lineOf(variant: Variant, verdict: Verdict): string {
  const expected = variant.claims.length === 0 ? 'holds' : `violates ${variant.claims.join(' or ')}`;
  const { kind, detail, states, seconds, depth } = verdict;
  const result =
    kind === 'holds' ? 'holds' : kind === 'violated' ? `violates ${detail}` : `${kind.toUpperCase()}: ${detail}`;
  const line = columns([variant.model, variant.defines.join(' '), expected, result, states, seconds.toFixed(1), depth]);
  return isAsExpected(variant, verdict) ? line : `${line}  <-- not as expected`;
}

async function checkAll(tools: ModelTools, chosen: readonly Variant[], deadline: number): Promise<number> {
  const queue = [...chosen];
  let unexpected = 0;
  const lane = async (): Promise<void> => {
    for (let variant = queue.shift(); variant !== undefined; variant = queue.shift()) {
      const searchMs = deadline - performance.now();
      const verdict: Verdict =
        searchMs <= 0
          ? { kind: 'cut', detail: 'no time left to begin', states: 0, depth: 0, seconds: 0, trace: '' }
          : await checkVariant(tools, variant, { searchMs, memoryMib });
      process.stdout.write(`${lineOf(variant, verdict)}\n`);
      const asExpected = isAsExpected(variant, verdict);
      if (!asExpected) unexpected += 1;
      if (values.trace || !asExpected) process.stdout.write(verdict.trace === '' ? '' : `${verdict.trace}\n`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return unexpected;
}

const minutes = Number(values.minutes);
const chosen = variants.filter((variant) => (!values.quick || variant.quick) && nameOf(variant).includes(values.only));
const tools = findModelTools();
if (!(minutes > 0) || chosen.length === 0) {
  process.stderr.write(
    'models: nothing to check: --minutes takes a number above 0, --only a part of a line of the table\n',
  );
  process.exitCode = 2;
} else if (tools === null) {
  process.exitCode = modelToolsMissing;
} else {
  process.stdout.write(`${columns(['model', 'variant', 'expected', 'result', 'states', 'seconds', 'depth'])}\n`);
  const unexpected = await checkAll(tools, chosen, performance.now() + minutes * 60_000);
  process.stdout.write(`${chosen.length} variants, ${unexpected} not as expected\n`);
  process.exitCode = unexpected === 0 ? 0 : 1;
}
