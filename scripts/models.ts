/**
 * `npm run models [-- --quick|--all] [--only PATTERN] [--minutes N] [--trace]`: checks the models in `test/models` and their
 * twins with Spin, and prints what came of each. A search that was cut shows nothing, so it counts as a failure.
 */
import { parseArgs } from 'node:util';
import { checkVariant, isAsExpected, type Verdict } from './model-checker.ts';
import { endModelPrograms } from './model-programs.ts';
import { variants, type Variant } from './model-variants.ts';
import { findModelTools, modelToolsMissing, type ModelTools } from './spin.ts';

const { values } = parseArgs({
  options: {
    /** The slice that `npm test` runs. */
    quick: { type: 'boolean', default: false },
    /** Also those that take long or much memory. */
    all: { type: 'boolean', default: false },
    /** Only variants whose line contains this. */
    only: { type: 'string', default: '' },
    /** For all of them together: 6 unless said otherwise, with `--all` 90. */
    minutes: { type: 'string' },
    /** Show the steps of every violation, also of the expected ones. */
    trace: { type: 'boolean', default: false },
  },
});

interface Plan {
  readonly lanes: number;
  readonly memoryMib: number;
}

/** Two at a time keep two cores busy within about 4 GB; a long one has the machine to itself. */
const short: Plan = { lanes: 2, memoryMib: 1_900 };
const long: Plan = { lanes: 1, memoryMib: 6_000 };

const nameOf = ({ model, defines }: Variant): string => `${model} ${defines.join(' ')}`;
const columns = (cells: readonly (string | number)[]): string => {
  const [model, variant, expected, result, states, depth, seconds, memory] = cells.map(String);
  const left = `${model?.padEnd(15)} ${variant?.padEnd(46)} ${expected?.padEnd(24)} ${result?.padEnd(24)}`;
  return `${left} ${states?.padStart(10)} ${depth?.padStart(6)} ${seconds?.padStart(7)} ${memory?.padStart(6)}`;
};

function lineOf(variant: Variant, verdict: Verdict): string {
  const expected = variant.claims.length === 0 ? 'holds' : `violates ${variant.claims.join(' or ')}`;
  const { kind, detail, states, depth, seconds, memoryMib } = verdict;
  const result =
    kind === 'holds' ? 'holds' : kind === 'violated' ? `violates ${detail}` : `${kind.toUpperCase()}: ${detail}`;
  const numbers = [states, depth, seconds.toFixed(1), memoryMib];
  const line = columns([variant.model, variant.defines.join(' '), expected, result, ...numbers]);
  return isAsExpected(variant, verdict) ? line : `${line}  <-- not as expected`;
}

const noTimeLeft: Verdict = {
  kind: 'cut',
  detail: 'no time left to begin',
  states: 0,
  depth: 0,
  seconds: 0,
  memoryMib: 0,
  trace: '',
};

async function checkAll(tools: ModelTools, chosen: readonly Variant[], plan: Plan, deadline: number): Promise<number> {
  const queue = [...chosen];
  let unexpected = 0;
  const lane = async (): Promise<void> => {
    for (let variant = queue.shift(); variant !== undefined && !interrupted; variant = queue.shift()) {
      const searchMs = deadline - performance.now();
      const verdict: Verdict =
        searchMs <= 0 ? noTimeLeft : await checkVariant(tools, variant, { searchMs, memoryMib: plan.memoryMib });
      if (interrupted) return;
      process.stdout.write(`${lineOf(variant, verdict)}\n`);
      const asExpected = isAsExpected(variant, verdict);
      if (!asExpected) unexpected += 1;
      if (values.trace || !asExpected) process.stdout.write(verdict.trace === '' ? '' : `${verdict.trace}\n`);
    }
  };
  await Promise.all(Array.from({ length: plan.lanes }, lane));
  return unexpected;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true;
    endModelPrograms();
  });
}
// Whatever ends this process, no checker goes on without it.
process.on('exit', endModelPrograms);

async function main(): Promise<number> {
  const minutes = Number(values.minutes ?? (values.all ? '90' : '6'));
  const wanted = (variant: Variant): boolean =>
    (!values.quick || variant.quick) && (values.all || !variant.long) && nameOf(variant).includes(values.only);
  const chosen = variants.filter(wanted);
  if (!(minutes > 0) || chosen.length === 0) {
    process.stderr.write(
      'models: nothing to check: --minutes takes a number above 0, --only a part of a line of the table; --all adds the long ones\n',
    );
    return 2;
  }
  const tools = findModelTools();
  if (tools === null) return modelToolsMissing;
  const deadline = performance.now() + minutes * 60_000;
  process.stdout.write(`${columns(['model', 'variant', 'expected', 'result', 'states', 'depth', 'seconds', 'MiB'])}\n`);
  let unexpected = 0;
  for (const plan of [short, long]) {
    const part = chosen.filter((variant) => variant.long === (plan === long));
    unexpected += await checkAll(tools, part, plan, deadline);
  }
  if (interrupted) {
    process.stderr.write('models: interrupted; nothing was left running\n');
    return 130;
  }
  process.stdout.write(`${chosen.length} variants, ${unexpected} not as expected\n`);
  return unexpected === 0 ? 0 : 1;
}

process.exitCode = await main();
