import { registerHooks } from 'node:module';
import { mutants } from './mutants.ts';

const root = new URL('../../../', import.meta.url);

/** Rewrites one source file as it is loaded, in this process only. Throws when what it replaces is not there exactly once. */
export function injectMutant(name: string): void {
  const mutant = mutants.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  const target = new URL(mutant.file, root).href;
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (url !== target || loaded.source === undefined || loaded.source === null) return loaded;
      const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      const parts = source.split(mutant.original);
      if (parts.length !== 2)
        throw new Error(`${mutant.file} has the piece of mutant ${name} ${parts.length - 1} times, not once`);
      return { ...loaded, source: parts.join(mutant.mutated) };
    },
  });
}
