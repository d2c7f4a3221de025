import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openJournal } from './adapters/disk/segment-journal.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import type { Recovered } from './core/node/messages.ts';
import type { OpenedJournal } from './ports/journal.ts';
import { recover } from './runtime/recovery.ts';
import type { DiskCare } from './services/disk-care.ts';
import { beginBoot, newIncarnation, type NodeRecord } from './services/node-record.ts';
import type { PeerOpening } from './services/peer-life.ts';
import { valueOf } from './services/running-peer.ts';
import { becomeSuspect } from './services/suspect-home.ts';
import type { SwarmHome } from './services/swarm-home.ts';
import { fail, FailureError, ok, type Failure, type Result } from '../shared/domain/failure.ts';

/** What the disk says about this machine's past in one membership. */
export interface OpenedRecord {
  readonly record: NodeRecord;
  readonly opened: OpenedJournal;
  readonly recovered: Recovered;
}

/**
 * Reads the journal. One that cannot be trusted is put aside, and the machine begins anew as a learner under another
 * incarnation; unless it is the only member, whose record nobody else could give back. Throws a FailureError.
 */
export async function openRecord(
  disk: DiskCare,
  { home, founding, suspect }: Omit<PeerOpening, 'membership'>,
  onlyMember: boolean,
): Promise<OpenedRecord> {
  if (suspect !== null) return beginAnew(disk, home, suspect);
  const read = await inRoom(disk, () => readRecord(disk, home));
  if (read.ok) {
    const { record, opened } = read.value;
    if (!opened.created || record.boot === 1 || founding) return read.value;
    const missing = fail('corrupt', `the journal in ${home.journal} was missing`).failure;
    if (onlyMember) {
      await opened.journal.close();
      await rm(home.journal, { recursive: true, force: true });
      throw new FailureError({ ...missing, hint: hintForTheOnlyMember(home) });
    }
    disk.cameBackSuspect(missing);
    return { ...read.value, record: await newIncarnation(home.root) };
  }
  if (read.failure.code !== 'corrupt') throw new FailureError(read.failure);
  if (onlyMember) throw new FailureError({ ...read.failure, hint: hintForTheOnlyMember(home) });
  return beginAnew(disk, home, read.failure);
}

/** Nothing is thrown away by itself: a person may have a backup, or read from the damaged journal what is left. */
const hintForTheOnlyMember = (home: SwarmHome): string =>
  `No other machine has a copy. Put ${home.journal} back from a backup; or, to begin with a new swarm, move it and ${join(home.root, 'swarm.json')} to another folder.`;

async function beginAnew(disk: DiskCare, home: SwarmHome, reason: Failure): Promise<OpenedRecord> {
  const record = await becomeSuspect(home, systemClock.wall());
  const opened = valueOf(await open(disk, home));
  disk.cameBackSuspect(reason);
  return { record, opened, recovered: { snapshot: null, facts: [] } };
}

async function readRecord(disk: DiskCare, home: SwarmHome): Promise<Result<OpenedRecord>> {
  try {
    const record = await beginBoot(home.root);
    const opened = valueOf(await open(disk, home));
    const recovered = recover(opened);
    if (recovered.ok) return ok({ record, opened, recovered: recovered.value });
    await opened.journal.close();
    return recovered;
  } catch (error) {
    if (error instanceof FailureError) return { ok: false, failure: error.failure };
    throw error;
  }
}

const open = (disk: DiskCare, home: SwarmHome): Promise<Result<OpenedJournal>> =>
  openJournal(home.journal, { makeRoom: () => disk.makeRoom() });

/** Once more after the reserve was given up: nothing of the first attempt is relied on. */
async function inRoom(disk: DiskCare, work: () => Promise<Result<OpenedRecord>>): Promise<Result<OpenedRecord>> {
  const first = await work();
  return !first.ok && first.failure.code === 'disk-full' && (await disk.makeRoom()) ? work() : first;
}
