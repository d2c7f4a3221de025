/** Checks one variant of a Promela model: Spin writes a checker in C, the compiler builds it, and it visits every state. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelTools } from './spin.ts';
import { runModelProgram as run, type Ran } from './model-programs.ts';
import type { Variant } from './model-variants.ts';

const modelsFolder = fileURLToPath(new URL('../test/models/', import.meta.url));
const depthMax = 200_000;
const buildMsMax = 120_000;
/** The end of a trace is where it goes wrong. */
const traceLinesShown = 60;

export interface CheckBounds {
  /** For the search alone, in milliseconds. */
  readonly searchMs: number;
  readonly memoryMib: number;
}

export interface Verdict {
  /** `cut`: not every state was seen, so nothing is shown. */
  readonly kind: 'holds' | 'violated' | 'cut' | 'failed';
  /** The claim that failed, the limit that cut the search, or what went wrong. */
  readonly detail: string;
  readonly states: number;
  readonly depth: number;
  readonly seconds: number;
  readonly memoryMib: number;
  /** Steps to the violation, the last ones; empty otherwise. */
  readonly trace: string;
}

/** Whether the verdict is the one that the variant must have. A cut search never is. */
export const isAsExpected = ({ claims }: Variant, { kind, detail }: Verdict): boolean =>
  claims.length === 0 ? kind === 'holds' : kind === 'violated' && claims.includes(detail);

/** Works in a folder of its own outside the checkout, and removes it. */
export async function checkVariant(tools: ModelTools, variant: Variant, bounds: CheckBounds): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-model-'));
  try {
    return await check(tools, variant, bounds, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function check(tools: ModelTools, variant: Variant, bounds: CheckBounds, folder: string): Promise<Verdict> {
  const source = join(modelsFolder, `${variant.model}.pml`);
  const defines = variant.defines.map((name) => `-D${name}`);
  const written = await run(tools.spin, [...defines, '-a', source], folder, buildMsMax);
  if (written.exitCode !== 0 || /\b(Error|syntax error)\b/.test(written.output)) return failed(written.output);
  // Twins end soon, and optimising a small but branchy model takes the compiler minutes.
  const optimised = variant.claims.length === 0 && !variant.builtPlainly;
  const options = [optimised ? '-O2' : '-O0', '-w', '-DSAFETY', `-DMEMLIM=${bounds.memoryMib}`];
  const built = await run(tools.compiler, [...options, '-o', 'pan', 'pan.c'], folder, buildMsMax);
  if (built.exitCode !== 0) return failed(built.output);
  const searched = await run(join(folder, 'pan'), ['-E', `-m${depthMax}`], folder, bounds.searchMs);
  const verdict = judge(searched, await claimsOf(source));
  if (verdict.kind !== 'violated') return verdict;
  const replayed = await run(
    tools.spin,
    [...defines, '-t', '-p', '-k', `${variant.model}.pml.trail`, source],
    folder,
    buildMsMax,
  );
  return { ...verdict, trace: replayed.output.trimEnd().split('\n').slice(-traceLinesShown).join('\n') };
}

/** Models name their claims in variables that are never set: `assert(what must hold || name)`. */
async function claimsOf(source: string): Promise<readonly string[]> {
  const declared = /^hidden byte ([a-z_, ]+);\s*\/\* claims/m.exec(await readFile(source, 'utf8'));
  return (declared?.[1] ?? '').split(',').map((name) => name.trim());
}

function judge({ output, seconds, stopped, exitCode }: Ran, claims: readonly string[]): Verdict {
  const counts = {
    states: numberIn(/([\d.e+]+) states, stored/, output),
    memoryMib: Math.round(numberIn(/([\d.]+)\s+total actual memory usage/, output)),
    depth: numberIn(/depth reached (\d+)/, output),
    seconds,
    trace: '',
  };
  const assertion = /^pan:1: (.*)/m.exec(output)?.[1];
  if (assertion !== undefined) {
    const claim = claims.find((name) => new RegExp(`\\b${name}\\b`).test(assertion));
    if (claim === undefined) return { kind: 'failed', detail: assertion, ...counts };
    return { kind: 'violated', detail: claim, ...counts };
  }
  if (stopped !== null) return { kind: 'cut', detail: stopped, ...counts };
  if (/out of memory|reached -DMEMLIM/i.test(output)) return { kind: 'cut', detail: 'memory limit', ...counts };
  if (/max search depth too small/.test(output)) return { kind: 'cut', detail: 'depth limit', ...counts };
  if (/Search not completed|interrupted/i.test(output)) return { kind: 'cut', detail: 'interrupted', ...counts };
  if (/errors: 0\b/.test(output) && exitCode === 0) return { kind: 'holds', detail: '', ...counts };
  return { kind: 'failed', detail: output.slice(-300), ...counts };
}

const failed = (output: string): Verdict => ({
  kind: 'failed',
  detail: output.trim().slice(0, 600),
  states: 0,
  depth: 0,
  seconds: 0,
  memoryMib: 0,
  trace: '',
});

const numberIn = (pattern: RegExp, text: string): number => Number(pattern.exec(text)?.[1] ?? 0);
