import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError } from '../../shared/domain/failure.ts';
import { readFailure } from './file-selection.ts';
import { newIncarnation, type NodeRecord } from './node-record.ts';
import type { SwarmHome } from './swarm-home.ts';

/** Earlier journals kept, for a person or a recovery of the swarm to look at. */
const suspectKept = 3;

/**
 * The journal of this directory can no longer be trusted: it is put aside, never deleted, and the directory becomes
 * another voter. The new name is on disk before the journal moves, because a voter with a hole in its memory is the
 * one thing that must never start (docs/invariants.md M3, S1, S3). Throws a FailureError of the disk.
 */
export async function becomeSuspect(home: SwarmHome, at: number): Promise<NodeRecord> {
  const record = await newIncarnation(home.root);
  const kept = join(home.root, 'suspect');
  try {
    await mkdir(kept, { recursive: true, mode: 0o700 });
    await rename(home.journal, join(kept, String(at))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    const all = (await readdir(kept)).sort((one, other) => Number(one) - Number(other));
    for (const name of all.slice(0, Math.max(0, all.length - suspectKept)))
      await rm(join(kept, name), { recursive: true, force: true });
  } catch (error) {
    throw new FailureError(readFailure(kept, error), { cause: error });
  }
  return record;
}
