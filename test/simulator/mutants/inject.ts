import { registerHooks } from 'node:module';
import { mutants } from './mutants.ts';

const root = new URL('../../../', import.meta.url);

/** An exact piece of one source file, and what stands there instead in this process. */
export interface Rewrite {
  /** From the root of the repository. */
  readonly file: string;
  readonly original: string;
  readonly mutated: string;
}

/** Rewrites sources as they are loaded. Throws when a piece that is to be replaced is not there exactly once. */
export function rewriteSources(rewrites: readonly Rewrite[]): void {
  const byUrl = new Map<string, Rewrite[]>();
  for (const rewrite of rewrites) {
    const url = new URL(rewrite.file, root).href;
    byUrl.set(url, [...(byUrl.get(url) ?? []), rewrite]);
  }
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const wanted = byUrl.get(url);
      if (wanted === undefined || loaded.source === undefined || loaded.source === null) return loaded;
      const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: wanted.reduce(replaceOnce, source) };
    },
  });
}

function replaceOnce(source: string, { file, original, mutated }: Rewrite): string {
  const parts = source.split(original);
  if (parts.length !== 2) throw new Error(`${file} has this piece ${parts.length - 1} times, not once: ${original}`);
  return parts.join(mutated);
}

/** Null where no mutant is called so. */
export function mutantNamed(name: string): readonly Rewrite[] | null {
  const mutant = mutants.find((each) => each.name === name);
  if (mutant === undefined) return null;
  return [mutant, ...(mutant.also ?? [])];
}

const limit = (name: string, shipped: string, small: number): Rewrite => ({
  file: 'src-main/core/machine/limits.ts',
  original: `export const ${name} = ${shipped};`,
  mutated: `export const ${name} = ${small};`,
});

/**
 * Limits so small that a few simulated minutes reach them: windows fill, snapshots are taken and sent in parts.
 * Shipped limits would take days of simulated time.
 */
export const smallLimits: readonly Rewrite[] = [
  limit('slotsInFlightMax', '1_024', 16),
  limit('entriesPerMessageMax', '256', 8),
  limit('snapshotChunkCharsMax', '256 * 1_024', 20_000),
  limit('entriesPerSnapshot', '10_000', 300),
  limit('entriesKeptBehindSnapshot', '5_000', 100),
  limit('entriesPerCheckpoint', '1_000', 50),
  limit('recordsPerCheckpoint', '2_000', 100),
];
