import { cp, mkdtemp, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ok, type Failure } from '../../../shared/domain/failure.ts';
import { openSpaceReserve } from '../../../src-main/adapters/disk/space-reserve.ts';
import { openRecord, type OpenedRecord } from '../../../src-main/compose-disk.ts';
import { encodeFact } from '../../../src-main/wire/facts.ts';
import { folderBirth } from '../../../src-main/services/folder-birth.ts';
import { DiskCare } from '../../../src-main/services/disk-care.ts';
import { swarmHome, type SwarmHome } from '../../../src-main/services/swarm-home.ts';
import { fact, HeldClock, silent } from '../runtime/fakes.ts';

let home: SwarmHome;
let care: DiskCare;

const probe = await mkdtemp(join(tmpdir(), 'skein-birth-'));
const systemTells = (await folderBirth(probe)) !== null;
await rmdir(probe);

beforeEach(async () => {
  home = swarmHome(await mkdtemp(join(tmpdir(), 'skein-record-')));
  const reserve = await openSpaceReserve(home.root, 0);
  if (!reserve.ok) throw new Error(reserve.failure.message);
  care = new DiskCare({
    reserve: reserve.value,
    clock: new HeldClock(),
    logger: silent,
    changed: () => undefined,
    restart: () => Promise.resolve(ok(null)),
  });
});

afterEach(() => rm(home.root, { recursive: true, force: true }));

const open = (suspect: Failure | null = null, onlyMember = false): Promise<OpenedRecord> =>
  openRecord(care, { home, founding: false, suspect }, onlyMember);

/** A journal with two synced facts, closed. Answers the incarnation. */
async function firstLife(): Promise<string> {
  const { record, opened } = await open();
  for (const slot of [7, 8]) {
    await new Promise<void>((resolve) =>
      opened.journal.append(encodeFact(fact(slot)), { sync: true }, () => resolve()),
    );
  }
  await opened.journal.close();
  return record.incarnation;
}

async function damageFirstRecord(): Promise<void> {
  const [name = ''] = (await readdir(home.journal)).filter((each) => each.endsWith('.seg'));
  const path = join(home.journal, name);
  const bytes = await readFile(path);
  const at = 28 + 17 + 9;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** Everything as a backup brings it back: the same files, the same times, in folders that are made for them. */
async function restoreCopy(): Promise<void> {
  const backup = `${home.root}-backup`;
  await cp(home.root, backup, { recursive: true, preserveTimestamps: true });
  await rm(home.root, { recursive: true });
  await cp(backup, home.root, { recursive: true, preserveTimestamps: true });
  await rm(backup, { recursive: true });
}

describe('opening what the disk says about the past', () => {
  it('keeps the incarnation and the facts of a journal that is whole', async () => {
    const incarnation = await firstLife();
    const { record, recovered, opened } = await open();
    expect(record).toMatchObject({ incarnation, boot: 2 });
    expect(recovered.facts).toHaveLength(2);
    await opened.journal.close();
    expect(care.notice(false)).toBe('');
  });

  it('begins anew as another voter when a synced record is damaged, and keeps the journal for a person to look at', async () => {
    const incarnation = await firstLife();
    await damageFirstRecord();
    const { record, recovered, opened } = await open();
    expect(record.incarnation).not.toBe(incarnation);
    expect(recovered).toEqual({ snapshot: null, facts: [] });
    await opened.journal.close();
    const [kept = ''] = await readdir(join(home.root, 'suspect'));
    expect(await readdir(join(home.root, 'suspect', kept))).toContain('journal-00000001-00000000.seg');
    expect(care.notice(false)).toContain('is damaged at byte');
    const again = await open();
    expect(again.record).toMatchObject({ incarnation: record.incarnation, boot: 2 });
    await again.opened.journal.close();
  });

  it('leaves the journal of a newer program as it is, and does not start from it or without it', async () => {
    await firstLife();
    const { opened } = await open();
    // A kind of fact, field 99, that no program knows yet.
    const newer = new Uint8Array([7, 8, 1, 18, 3, 154, 6, 0]);
    await new Promise<void>((resolve) => opened.journal.append([newer], { sync: true }, () => resolve()));
    await opened.journal.close();
    const refused: unknown = await open().catch((error: unknown) => error);
    expect(refused).toMatchObject({ failure: { code: 'unsupported-version' } });
    expect(await readdir(home.root)).not.toContain('suspect');
    expect(care.notice(false)).toBe('');
  });

  it('leaves a damaged journal alone where nobody else has the log', async () => {
    const incarnation = await firstLife();
    await damageFirstRecord();
    await expect(open(null, true)).rejects.toMatchObject({
      failure: { code: 'corrupt', hint: expect.stringContaining('from a backup') as string },
    });
    expect(await readFile(join(home.root, 'node.json'), 'utf8')).toContain(incarnation);
  });

  it('asks for a backup of a vanished journal where nobody else has the log, and takes it', async () => {
    const incarnation = await firstLife();
    const backup = join(home.root, 'backup');
    await rename(home.journal, backup);
    for (const _ of ['first', 'second'])
      await expect(open(null, true)).rejects.toMatchObject({
        failure: { code: 'corrupt', hint: expect.stringContaining('from a backup') as string },
      });
    await rename(backup, home.journal);
    const { record, recovered, opened } = await open(null, true);
    expect(record.incarnation).toBe(incarnation);
    expect(recovered.facts).toHaveLength(2);
    await opened.journal.close();
  });

  it('never votes under its old name from a journal that has vanished', async () => {
    const incarnation = await firstLife();
    await rm(home.journal, { recursive: true });
    const { record, opened } = await open();
    expect(record.incarnation).not.toBe(incarnation);
    expect(care.notice(false)).toContain('was missing');
    await opened.journal.close();
  });

  it.runIf(systemTells)(
    'takes a journal that came back from a backup for another one, and keeps it for a person to look at',
    async () => {
      const incarnation = await firstLife();
      await restoreCopy();
      const { record, recovered, opened } = await open();
      expect(record.incarnation).not.toBe(incarnation);
      expect(recovered).toEqual({ snapshot: null, facts: [] });
      await opened.journal.close();
      expect(care.notice(false)).toContain('is a copy, as from a backup');
      expect(await readdir(join(home.root, 'suspect'))).toHaveLength(1);
      const again = await open();
      expect(again.record).toMatchObject({ incarnation: record.incarnation, boot: 2 });
      await again.opened.journal.close();
    },
  );

  it('goes on from a copy where nobody else has the log', async () => {
    const incarnation = await firstLife();
    await restoreCopy();
    const { record, recovered, opened } = await open(null, true);
    expect(record).toMatchObject({ incarnation, boot: 2 });
    expect(recovered.facts).toHaveLength(2);
    await opened.journal.close();
    // Others who join later find a machine that trusts its journal.
    const later = await open();
    expect(later.record.incarnation).toBe(incarnation);
    await later.opened.journal.close();
  });

  it('keeps its name when all of its folder is moved', async () => {
    const incarnation = await firstLife();
    await rename(home.root, `${home.root}-moved`);
    home = swarmHome(`${home.root}-moved`);
    const { record, opened } = await open();
    expect(record.incarnation).toBe(incarnation);
    await opened.journal.close();
  });

  it('trusts nothing on a disk that failed a sync, whole as it may look', async () => {
    const incarnation = await firstLife();
    const { record, recovered, opened } = await open({ code: 'disk-failed', message: 'EIO' });
    expect(record.incarnation).not.toBe(incarnation);
    expect(recovered.facts).toEqual([]);
    await opened.journal.close();
  });

  it('survives a damaged node record the same way', async () => {
    const incarnation = await firstLife();
    await writeFile(join(home.root, 'node.json'), '{"incarnation":');
    const { record, opened } = await open();
    expect(record.incarnation).not.toBe(incarnation);
    await opened.journal.close();
  });
});
