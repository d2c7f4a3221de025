import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openJournal } from './adapters/disk/segment-journal.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import type { Recovered } from './core/node/messages.ts';
import type { OpenedJournal } from './ports/journal.ts';
import { recover } from './runtime/recovery.ts';
import type { DiskCare } from './services/disk-care.ts';
import { folderBirth } from './services/folder-birth.ts';
import { beginBoot, bindJournal, type NodeRecord } from './services/node-record.ts';
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
 * Reads the journal. One that cannot be trusted, because it is damaged, gone or a copy of an earlier time, is put aside, and
 * the machine begins anew as a learner under another incarnation. The only member keeps what nobody else could give
 * back: it goes on from a copy, and does not start without a whole journal. Throws a FailureError.
 */
export async function openRecord(
  disk: DiskCare,
  { home, founding, suspect }: Omit<PeerOpening, 'membership'>,
  onlyMember: boolean,
): Promise<OpenedRecord> {
  if (suspect !== null) return beginAnew(disk, home, suspect);
  const read = await inRoom(disk, () => readRecord(disk, home));
  if (!read.ok) {
    if (read.failure.code !== 'corrupt') throw new FailureError(read.failure);
    if (onlyMember) throw new FailureError({ ...read.failure, hint: hintForTheOnlyMember(home) });
    return beginAnew(disk, home, read.failure);
  }
  const { record, opened } = read.value;
  const doubt = await doubtOf(home, read.value, founding);
  if (doubt === null || (onlyMember && !opened.created)) return { ...read.value, record: await boundTo(home, record) };
  await opened.journal.close();
  if (opened.created) await rm(home.journal, { recursive: true, force: true });
  if (onlyMember) throw new FailureError({ ...doubt, hint: hintForTheOnlyMember(home) });
  return beginAnew(disk, home, doubt);
}

/** The record, with the folder that the journal is in now. */
async function boundTo(home: SwarmHome, record: NodeRecord): Promise<NodeRecord> {
  const birth = await folderBirth(home.journal);
  return record.journal === birth ? record : bindJournal(home.root, record, birth);
}

/** Why a journal that can be read is not, or may not be, all that this machine has promised; null where nothing says so. */
async function doubtOf(home: SwarmHome, { record, opened }: OpenedRecord, founding: boolean): Promise<Failure | null> {
  if (founding || record.boot === 1) return null;
  if (opened.created) return fail('corrupt', `the journal in ${home.journal} was missing`).failure;
  const birth = await folderBirth(home.journal);
  if (record.journal === null || birth === null || record.journal === birth) return null;
  return fail('corrupt', `the journal in ${home.journal} is a copy, as from a backup`).failure;
}

/** Nothing is thrown away by itself: a person may have a backup, or read from the damaged journal what is left. */
const hintForTheOnlyMember = (home: SwarmHome): string =>
  `No other machine has a copy. Put ${home.journal} back from a backup; or, to begin with a new swarm, move it and ${join(home.root, 'swarm.json')} to another folder.`;

async function beginAnew(disk: DiskCare, home: SwarmHome, reason: Failure): Promise<OpenedRecord> {
  const record = await becomeSuspect(home, systemClock.wall());
  const opened = valueOf(await open(disk, home));
  disk.cameBackSuspect(reason);
  return { record: await boundTo(home, record), opened, recovered: { snapshot: null, facts: [] } };
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
