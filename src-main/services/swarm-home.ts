import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError } from '../../shared/domain/failure.ts';
import { compareText } from '../../shared/domain/ids.ts';
import { readFailure } from './file-selection.ts';

/** Earlier memberships kept for a person to look at. */
const leftKept = 3;

/** The parts of a state directory that belong to one membership; identity, policy and content outlive it. */
const swarmParts = [
  'swarm.json',
  'node.json',
  'addresses.json',
  'journal',
  'suspect',
  'attempts',
  'tails',
  'submissions',
] as const;

export interface SwarmHome {
  readonly root: string;
  readonly journal: string;
  readonly content: string;
  readonly attempts: string;
  readonly tails: string;
  readonly submissions: string;
}

export const swarmHome = (root: string): SwarmHome => ({
  root,
  journal: join(root, 'journal'),
  content: join(root, 'content'),
  attempts: join(root, 'attempts'),
  tails: join(root, 'tails'),
  submissions: join(root, 'submissions'),
});

/**
 * Moves what belongs to a past membership into `left/<time>/`. The membership record goes first: a crash in between
 * leaves a machine without a swarm, never one that votes with half a state. Throws a FailureError of the disk.
 */
export async function setAside(home: SwarmHome, at: number): Promise<void> {
  const left = join(home.root, 'left');
  const target = join(left, String(at));
  try {
    const present = new Set(await readdir(home.root));
    const parts = swarmParts.filter((part) => present.has(part));
    if (parts.length === 0) return;
    await mkdir(target, { recursive: true, mode: 0o700 });
    for (const part of parts) await rename(join(home.root, part), join(target, part));
    const kept = (await readdir(left)).sort((one, other) => Number(one) - Number(other) || compareText(one, other));
    for (const name of kept.slice(0, Math.max(0, kept.length - leftKept)))
      await rm(join(left, name), { recursive: true, force: true });
  } catch (error) {
    throw new FailureError(readFailure(home.root, error), { cause: error });
  }
}
