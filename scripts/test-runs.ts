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

/** A slice of the simulator counts as one test: all of its seeds hold, or it has failed. So do the seeds that were kept. */
export async function runSimulator(seeds: number, timeoutMs: number): Promise<Tally> {
  const slices = [
    { words: `${seeds} seeds`, args: ['--seeds', String(seeds)] },
    { words: 'seeds that once found something', args: ['--found'] },
  ];
  const tallies: Tally[] = [];
  for (const { words, args } of slices) {
    process.stdout.write(`\nsimulator: ${words}\n`);
    const file = join('test', 'simulator', 'simulate.ts');
    const result = await runNode([file, ...args], { inherit: true, timeoutMs });
    tallies.push({ passed: result.exitCode === 0 ? 1 : 0, failed: result.exitCode === 0 ? 0 : 1, skipped: 0 });
  }
  return sum(tallies);
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
