import type { KvChange } from '../../../../shared/contract/kv.ts';
import type { CliContext } from '../cli-context.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../submission-flags.ts';

export interface WatchFlags {
  readonly key?: string;
  readonly fromRevision?: string;
}

/** Prints changes until it is interrupted: one a line, as JSON where that is wanted. */
export async function watchKeys(context: CliContext, flags: WatchFlags, prefix: string | undefined): Promise<number> {
  const fromRevision = wholeNumber('--from-revision', flags.fromRevision, 1, Number.MAX_SAFE_INTEGER);
  const leaving = new AbortController();
  const unhook = context.world.onInterrupt(() => leaving.abort());
  try {
    const { client } = await context.node();
    const frames = await client.kv.watch(
      {
        ...(prefix === undefined ? {} : { prefix }),
        ...(flags.key === undefined ? {} : { key: flags.key }),
        ...(fromRevision === undefined ? {} : { fromRevision }),
      },
      { signal: leaving.signal },
    );
    let told = false;
    for await (const { through, changes } of frames) {
      if (!told) context.note(`Watching from revision ${fromRevision ?? through + 1} on. Ctrl+C ends it.`);
      told = true;
      for (const change of changes) if (!context.outJson('KvChange', change)) context.out(lineOf(change));
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    unhook();
    leaving.abort();
  }
  return exitCodes.interrupted;
}

function lineOf(change: KvChange): string {
  if (change.type === 'removed') return `${change.revision}\t${change.cause}\t${change.key}`;
  const { revision, key, value } = change.entry;
  return `${revision}\tput\t${key}\t${value.replaceAll('\n', '\\n')}`;
}
