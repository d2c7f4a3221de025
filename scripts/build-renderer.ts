/** Builds the pages of `src-renderer` into `out/renderer`, and only when something they are made of changed. */
import { createHash } from 'node:crypto';
import { glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const output = join(root, 'out', 'renderer');
const stampFile = join(root, 'out', 'renderer.stamp');

/**
 * Returns the folder that holds the built pages.
 * @throws Error when vite refuses the sources; its message names the file and line.
 */
export async function buildRenderer(): Promise<string> {
  const stamp = await stampOfSources();
  if (await isCurrent(stamp)) return output;
  // A build that stops halfway must not pass for a finished one.
  await rm(stampFile, { force: true });
  const { build } = await import('vite');
  await build({ configFile: join(root, 'src-renderer', 'vite.config.ts'), logLevel: 'warn' });
  await mkdir(join(root, 'out'), { recursive: true });
  await writeFile(stampFile, stamp);
  return output;
}

async function isCurrent(stamp: string): Promise<boolean> {
  const [before, page] = await Promise.all([textOf(stampFile), textOf(join(output, 'index.html'))]);
  return before === stamp && page !== undefined;
}

async function stampOfSources(): Promise<string> {
  const files: string[] = ['package-lock.json'];
  for await (const file of glob(['src-renderer/**/*.*', 'shared/**/*.ts'], { cwd: root })) files.push(file);
  const hash = createHash('sha256');
  for (const file of files.toSorted()) {
    hash.update(`${file}\0`).update((await bytesOf(join(root, file))) ?? '');
  }
  return hash.digest('hex');
}

/** A folder whose name has a dot, or a file that has just gone, counts as empty. */
async function bytesOf(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  const bytes = await bytesOf(file);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
