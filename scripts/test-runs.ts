/** The pieces of the whole test run, each answering with how much passed, failed and was skipped. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium.ts';
import { runNode, runNodeTool } from './run-tool.ts';
import { modelToolsMissing } from './spin.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report that is counted. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface VitestOptions {
  readonly timeoutMs: number;
  /** Extra arguments, such as a file to run alone. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** The one line a run ends with, for people and for whatever reads the end of the output. */
export function line(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** Prints the line and sets the exit code: a run in which nothing passed proves nothing, so it fails. */
export function finish(tally: Tally): void {
  const proved = tally.passed > 0 && tally.failed === 0;
  if (tally.passed === 0 && tally.failed === 0) process.stdout.write('\nno test ran\n');
  process.stdout.write(`\n${line(tally)}\n`);
  process.exitCode = proved ? 0 : 1;
}

/** Runs vitest over the named projects of `vitest.config.ts`. */
export async function runVitest(projects: readonly string[], options: VitestOptions): Promise<Tally> {
  const report = join(root, '.cache', `vitest-${projects.join('-')}.json`);
  await mkdir(join(root, '.cache'), { recursive: true });
  await rm(report, { force: true });
  const result = await runNodeTool(
    'vitest',
    [
      'run',
      '--passWithNoTests',
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...(options.args ?? []),
    ],
    { inherit: true, timeoutMs: options.timeoutMs, environment: options.environment ?? {} },
  );
  const tally = await readReport(report);
  // Errors outside of any test, and a run that was ended, leave a report without a failure, or none at all.
  if (result.exitCode !== 0 && tally.failed === 0) return { ...tally, failed: 1 };
  return tally;
}

async function readReport(file: string): Promise<Tally> {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(await readFile(file, 'utf8')) as VitestReport;
  // A file that cannot even be loaded has no failed test in it, but is a failure all the same.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

interface Slice {
  readonly words: string;
  readonly args: readonly string[];
}

/** Runs each program after the other. One counts as one test: everything in it holds, or it has failed. */
async function runSlices(of: string, slices: readonly Slice[], timeoutMs: number): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const { words, args } of slices) {
    process.stdout.write(`\n${of}: ${words}\n`);
    const { exitCode } = await runNode(args, { inherit: true, timeoutMs });
    tallies.push({ passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 });
  }
  return sum(tallies);
}

/** Drawn seeds, and those that were kept because they once found something. */
export function runSimulator(seeds: number, timeoutMs: number): Promise<Tally> {
  const file = join('test', 'simulator', 'simulate.ts');
  const slices = [
    { words: `${seeds} seeds`, args: [file, '--seeds', String(seeds)] },
    { words: 'seeds that once found something', args: [file, '--found'] },
  ];
  return runSlices('simulator', slices, timeoutMs);
}

/** A little of each long run with real node processes, so that the long ones can be trusted to work when they are wanted. */
export function runLongRuns(timeoutMs: number): Promise<Tally> {
  const bench = [
    '--rows',
    'write-1,lock-1,read-1,failover-kill',
    '--failovers',
    '1',
    '--rounds',
    '1',
    '--slice-ms',
    '300',
  ];
  const slices = [
    { words: '4 kills', args: [join('scripts', 'test-crash.ts'), '--kills', '4', '--seed', '4'] },
    { words: '20 s of faults', args: [join('scripts', 'test-chaos.ts'), '--minutes', '0.33', '--seed', '5'] },
    { words: 'four rows', args: [join('scripts', 'bench.ts'), 'coordination', '--no-rivals', ...bench] },
  ];
  return runSlices('long runs', slices, timeoutMs);
}

/** The quick models count as one test; a machine without Spin, where it cannot be installed, skips them. */
export async function runModels(timeoutMs: number): Promise<Tally> {
  process.stdout.write('\nmodels: the quick ones\n');
  const minutes = String(timeoutMs / 60_000);
  const result = await runNode([join('scripts', 'models.ts'), '--quick', '--minutes', minutes], { inherit: true });
  if (result.exitCode === modelToolsMissing) return { passed: 0, failed: 0, skipped: 1 };
  return result.exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/** Three real node processes and, where there is a Chromium, the pages in it. */
export function runEndToEnd(timeoutMs: number, args: readonly string[] = []): Promise<Tally> {
  const chromium = findChromium();
  return runVitest(['e2e'], { timeoutMs, args, environment: { SKEIN_CHROMIUM: chromium ?? '' } });
}
