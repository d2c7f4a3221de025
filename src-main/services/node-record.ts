import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import { readSmallFile, writeFileAtomically } from '../swarm/atomic-file.ts';
import { isRecord } from './stream-messages.ts';

const fileName = 'node.json';
const fileBytesMax = 4_096;

/** One session of one state directory; no two have the same. */
export interface Boot {
  /** A directory that was lost and made anew is another voter and another session owner. */
  readonly incarnation: string;
  readonly boot: number;
}

/** What makes a state directory itself: minted once, and the number of sessions begun with it. */
export interface NodeRecord extends Boot {
  /** The very folder that the journal is in (`folder-birth.ts`); null before that is known. */
  readonly journal: string | null;
}

/**
 * Counts one more boot and answers the record, on disk before this returns: two sessions of one directory can
 * never share a name. Mints the record in a new directory. Throws a FailureError `corrupt` or of the disk.
 */
export async function beginBoot(home: string): Promise<NodeRecord> {
  const before = await readRecord(home);
  return write(home, {
    incarnation: before?.incarnation ?? mintIncarnation(),
    boot: (before?.boot ?? 0) + 1,
    journal: before?.journal ?? null,
  });
}

/**
 * Makes the directory another voter and session owner from now on: what it promised under its old name can no longer
 * be relied on. On disk before this returns. A damaged record is replaced. Throws a FailureError of the disk.
 */
export const newIncarnation = (home: string): Promise<NodeRecord> =>
  write(home, { incarnation: mintIncarnation(), boot: 1, journal: null });

/** From now on only this folder is the journal of this incarnation: a copy of it is not. Throws a FailureError of the disk. */
export const bindJournal = (home: string, record: NodeRecord, journal: string | null): Promise<NodeRecord> =>
  write(home, { ...record, journal });

const mintIncarnation = (): string => randomBytes(8).toString('hex');

async function write(home: string, record: NodeRecord): Promise<NodeRecord> {
  const written = await writeFileAtomically(join(home, fileName), `${JSON.stringify(record)}\n`);
  if (!written.ok) throw new FailureError(written.failure);
  return record;
}

async function readRecord(home: string): Promise<NodeRecord | null> {
  const path = join(home, fileName);
  const found = await readSmallFile(path, fileBytesMax);
  if (!found.ok) throw new FailureError(found.failure);
  if (found.value === null) return null;
  const parsed: unknown = parseJson(found.value.toString('utf8'));
  if (
    isRecord(parsed) &&
    typeof parsed['incarnation'] === 'string' &&
    typeof parsed['boot'] === 'number' &&
    Number.isSafeInteger(parsed['boot'])
  ) {
    const journal = typeof parsed['journal'] === 'string' ? parsed['journal'] : null;
    return { incarnation: parsed['incarnation'], boot: parsed['boot'], journal };
  }
  const hint = 'This directory cannot be used as a voter again. Move it aside and join the swarm anew.';
  throw new FailureError(fail('corrupt', `${path} is damaged.`, hint).failure);
}

/** The parsed text, or undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
