/** Builds the programs of the desktop app: its main process, the preload script, the node process with its helper, and the command line. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InlineConfig } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One file each, with everything inside but Node's own modules and `electron`: the packaged app needs no node_modules. */
const programs = [
  { name: 'main', entry: 'src-main/hosts/electron/main.ts', file: 'main/main.js', format: 'es' },
  { name: 'preload', entry: 'src-main/preload/preload.ts', file: 'preload/preload.cjs', format: 'cjs' },
  { name: 'node', entry: 'src-main/hosts/node/main.ts', file: 'node/main.js', format: 'es' },
  // Beside the node's program, because the part that starts it looks for it there.
  {
    name: 'spawn-helper',
    entry: 'src-main/adapters/process/spawn-helper.ts',
    file: 'node/spawn-helper.js',
    format: 'es',
  },
  { name: 'cli', entry: 'src-main/hosts/cli/main.ts', file: 'cli/main.js', format: 'es' },
] as const;

type Program = (typeof programs)[number];

/** The folder that everything is built into. */
const builtFolder = join(root, 'out');

/**
 * Builds all programs into `out/` and returns the paths they have there.
 * @throws Error when a source is refused; its message names the file and line.
 */
export const buildDesktop = (): Promise<readonly string[]> => buildInto(builtFolder, programs);

/** Builds only the node process and its helper, into another folder, and returns the path of the node's program. */
export async function buildNodeProgram(into: string): Promise<string> {
  const [file = ''] = await buildInto(
    into,
    programs.filter(({ name }) => name === 'node' || name === 'spawn-helper'),
  );
  return file;
}

async function buildInto(into: string, chosen: readonly Program[]): Promise<readonly string[]> {
  const { build } = await import('vite');
  const folders = new Set(chosen.map((program) => program.file.split('/')[0] ?? ''));
  for (const folder of folders) await rm(join(into, folder), { recursive: true, force: true });
  for (const program of chosen) await build(configOf(program, into));
  return chosen.map((program) => join(into, program.file));
}

function configOf(program: Program, into: string): InlineConfig {
  const [folder = '', file = ''] = program.file.split('/');
  return {
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: true, external: ['electron'], target: 'node' },
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      ssr: true,
      target: 'node24',
      outDir: join(into, folder),
      emptyOutDir: false,
      minify: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: join(root, program.entry),
        external: ['electron', /^node:/],
        output: { format: program.format, entryFileNames: file, codeSplitting: false },
      },
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of await buildDesktop()) process.stdout.write(`built ${file}\n`);
}
