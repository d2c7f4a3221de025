/** `npm run check`: every fence of the house, one line each, then everything that failed. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runNodeTool, type ToolResult } from './run-tool.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const stepMsMax = 8 * 60_000;
/** A compiler that has lost its way prints thousands of lines, of which nobody reads the last. */
const linesShownMax = 60;

interface Step {
  readonly name: string;
  readonly run: () => Promise<ToolResult>;
}

const tool =
  (name: string, args: readonly string[], packageName = name) =>
  (): Promise<ToolResult> =>
    runNodeTool(name, args, { package: packageName, timeoutMs: stepMsMax });

const compilers = ['shared', 'src-main/core', 'src-main', 'src-main/preload', 'src-renderer', 'test', 'scripts'];
const typeSteps: readonly Step[] = compilers.filter(hasSources).map((room) => ({
  name: `types of ${room}`,
  run: tool('tsc', ['-p', `${room}/tsconfig.json`, '--noEmit', '--pretty', 'false'], 'typescript'),
}));

/** The slowest first, so that no lane ends up with it alone. */
const steps: readonly Step[] = [
  { name: 'lint', run: tool('eslint', ['--max-warnings', '0', '.']) },
  ...typeSteps,
  {
    name: 'types of pages',
    run: tool('svelte-check', [
      '--tsconfig',
      'src-renderer/tsconfig.json',
      '--output',
      'human',
      '--threshold',
      'warning',
    ]),
  },
  {
    name: 'imports',
    run: tool(
      'depcruise',
      ['--config', '.dependency-cruiser.mjs', '--output-type', 'err', 'shared', 'src-main', 'src-renderer'],
      'dependency-cruiser',
    ),
  },
  { name: 'unused code', run: tool('knip', ['--no-progress', '--no-config-hints']) },
  { name: 'format', run: tool('prettier', ['--check', '--log-level', 'warn', '.']) },
];

function hasSources(room: string): boolean {
  // The compiler calls a room without a single file an error; a room may be empty for a while.
  return room !== 'src-main/preload' || existsSync(join(root, 'src-main', 'preload', 'preload.ts'));
}

/** Two at a time: more compilers at once than cores only wait for each other's memory. */
const lanes = Math.min(2, availableParallelism());
const failed = new Map<string, string>();
const queue = [...steps];
await Promise.all(Array.from({ length: lanes }, runQueue));

// In the order of the steps, so that two runs read alike.
for (const { name } of steps) {
  const output = failed.get(name);
  if (output !== undefined) process.stdout.write(`\n--- ${name}\n${firstLines(output)}\n`);
}
process.stdout.write(
  failed.size === 0 ? 'check: all fences hold\n' : `\ncheck: ${failed.size} of ${steps.length} steps failed\n`,
);
process.exitCode = failed.size === 0 ? 0 : 1;

async function runQueue(): Promise<void> {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const startedAt = performance.now();
    const result = await step.run();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${result.exitCode === 0 ? 'ok    ' : 'FAILED'} ${seconds} s  ${step.name}\n`);
    if (result.exitCode !== 0) failed.set(step.name, result.output);
  }
}

function firstLines(text: string): string {
  const lines = text.trimEnd().split('\n');
  const more = lines.length - linesShownMax;
  return more > 0 ? [...lines.slice(0, linesShownMax), `… and ${more} more lines`].join('\n') : lines.join('\n');
}
