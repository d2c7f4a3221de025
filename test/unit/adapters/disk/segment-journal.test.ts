import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../shared/domain/failure.ts';
import type { Journal } from '../../../../src-main/ports/journal.ts';
import { openJournal } from '../../../../src-main/adapters/disk/segment-journal.ts';
import { journalSuite } from '../../../acceptance/journal.suite.ts';
import { seededRandom } from '../../../../src-main/core/machine/random.ts';
import { CrashImages } from '../../../crash-states/crash-images.ts';
import { MemoryDisk, type Image } from '../../../crash-states/memory-disk.ts';

const dir = '/journal';
const segmentBytesMax = 150;
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const textsOf = (records: readonly Uint8Array[]): readonly string[] =>
  records.map((record) => new TextDecoder().decode(record));
const open = (files: MemoryDisk) => openJournal(dir, { files, lockPath: null, segmentBytesMax });

type Step =
  | { readonly type: 'append'; readonly records: readonly string[]; readonly sync: boolean }
  | { readonly type: 'head'; readonly records: readonly string[] };

const steps: readonly Step[] = [
  { type: 'append', records: ['a1'], sync: true },
  { type: 'append', records: ['b1', 'b22'], sync: true },
  { type: 'append', records: ['c1'], sync: false },
  { type: 'append', records: ['d1', '', 'SYNCMARK'], sync: true },
  { type: 'append', records: ['e1', 'e2'], sync: true },
  { type: 'head', records: ['H1', 'H2'] },
  { type: 'append', records: ['f1'], sync: true },
  { type: 'append', records: ['g1'], sync: false },
];

/** What may be read back once so many records (a head counts as one) were written. */
function contentsAfter(): readonly string[] {
  let now: string[] = [];
  const contents = [now.join('|')];
  for (const step of steps) {
    if (step.type === 'head') contents.push((now = [...step.records]).join('|'));
    else for (const record of step.records) contents.push((now = [...now, record]).join('|'));
  }
  return contents;
}
const contents = contentsAfter();

/** Carries out the steps; `onDone` learns how many records are certainly on disk. */
async function carryOut(journal: Journal, onDone: (certain: number) => void): Promise<Failure | null> {
  let written = 0;
  for (const step of steps) {
    const failure = await new Promise<Failure | null>((resolve) => {
      const done = (reason?: Failure): void => resolve(reason ?? null);
      if (step.type === 'head') journal.replaceHead(step.records.map(bytesOf), done);
      else journal.append(step.records.map(bytesOf), { sync: step.sync }, done);
    });
    if (failure !== null) return failure;
    written += step.type === 'head' ? 1 : step.records.length;
    if (step.type === 'head' || step.sync) onDone(written);
  }
  return null;
}

async function recordedRun(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const opened = await open(disk);
  if (!opened.ok) throw new Error(opened.failure.message);
  const failure = await carryOut(opened.value.journal, () => undefined);
  expect(failure).toBeNull();
  await opened.value.journal.close();
  return disk;
}

/** The recovered contents, or the code of the failure. */
async function recovered(state: Image): Promise<{ readonly text: string } | { readonly code: string }> {
  const result = await open(new MemoryDisk(state));
  if (!result.ok) return { code: result.failure.code };
  await result.value.journal.close();
  return { text: textsOf(result.value.records).join('|') };
}

const holdsAll = (text: string, certain: number): boolean => contents.slice(certain).includes(text);

journalSuite('the segment journal on a disk in memory', async () => {
  const disk = new MemoryDisk();
  return { open: () => open(disk), dispose: async () => {} };
});

describe('a segment journal after a power cut', () => {
  it('goes on from any state: what is appended next is there the next time', async () => {
    const { operations } = await recordedRun();
    const images = new CrashImages();
    const random = seededRandom(1);
    for (const operation of operations) {
      images.follow(operation);
      for (const image of images.images({ sectorBytes: 512, imagesMax: 40, random })) {
        const disk = new MemoryDisk(image);
        const first = await open(disk);
        if (!first.ok) throw new Error(first.failure.message);
        await new Promise<void>((resolve) =>
          first.value.journal.append([bytesOf('next')], { sync: true }, () => resolve()),
        );
        await first.value.journal.close();
        const second = await open(new MemoryDisk(disk.snapshot()));
        expect(second.ok && textsOf(second.value.records)).toEqual([...textsOf(first.value.records), 'next']);
      }
    }
  }, 60_000);
});

describe('a segment journal on a full disk', () => {
  it('makes a write again from its beginning once room was made, and acknowledges all of it or nothing', async () => {
    for (let at = 0; at < 60; at++) {
      const disk = new MemoryDisk();
      let room = false;
      let asked = 0;
      disk.fault = (change, number) =>
        room || number < at || change.type !== 'write' ? null : { code: 'ENOSPC', bytesTaken: 5 };
      const makeRoom = (): Promise<boolean> => {
        asked += 1;
        room = true;
        return Promise.resolve(true);
      };
      const opened = await openJournal(dir, { files: disk, lockPath: null, segmentBytesMax, makeRoom });
      if (!opened.ok) {
        expect(opened.failure.code).toBe('disk-full');
        continue;
      }
      expect(await carryOut(opened.value.journal, () => undefined)).toBeNull();
      await opened.value.journal.close();
      expect(asked).toBeLessThanOrEqual(1);
      expect(await recovered(disk.snapshot())).toEqual({ text: contents.at(-1) });
    }
  });

  it('never makes a sync again', async () => {
    const disk = new MemoryDisk();
    let syncs = 0;
    const opened = await openJournal(dir, { files: disk, lockPath: null, makeRoom: () => Promise.resolve(true) });
    if (!opened.ok) throw new Error(opened.failure.message);
    disk.fault = (change) => {
      if (change.type !== 'sync') return null;
      syncs += 1;
      return { code: 'ENOSPC' };
    };
    expect((await carryOut(opened.value.journal, () => undefined))?.code).toBe('disk-full');
    await opened.value.journal.close();
    expect(syncs).toBe(1);
  });
});

describe('a torn tail', () => {
  it('is counted, and none of it comes back after the journal went on', async () => {
    const disk = new MemoryDisk();
    const first = await open(disk);
    if (!first.ok) throw new Error(first.failure.message);
    // The first frame is as long as the marker that will replace it, so the second one would follow that marker.
    const torn = ['8 bytes.', 'undead'];
    await new Promise<void>((resolve) =>
      first.value.journal.append(torn.map(bytesOf), { sync: false }, () => resolve()),
    );
    const [path, bytes] = [...disk.snapshot()][0] ?? ['', new Uint8Array()];
    const changed = Uint8Array.from(bytes);
    const at = Buffer.from(bytes).indexOf('8 bytes.');
    changed[at] = 0;
    const after = new MemoryDisk(new Map([[path, changed]]));
    const second = await open(after);
    if (!second.ok) throw new Error(second.failure.message);
    expect(second.value.records).toEqual([]);
    expect(second.value.tornBytes).toBe(bytes.byteLength - (at - 9));
    await second.value.journal.close();
    expect(await recovered(after.snapshot())).toEqual({ text: '' });
  });
});

describe('a segment journal with a changed byte', () => {
  it('says that it is damaged, or still holds every acknowledged record, whichever byte it is', async () => {
    const disk = await recordedRun();
    const whole = disk.snapshot();
    const certain = contents.length - 2;
    let noticed = 0;
    for (const [path, bytes] of whole) {
      for (let at = 0; at < bytes.byteLength; at++) {
        for (const change of [0x01, 0x80, 0xff]) {
          const changed = Uint8Array.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ change;
          const found = await recovered(new Map(whole).set(path, changed));
          if ('code' in found) {
            expect(found.code).toBe('corrupt');
            noticed += 1;
          } else if (!holdsAll(found.text, certain)) expect.fail(`${path} byte ${String(at)}: ${found.text}`);
        }
      }
    }
    expect(noticed).toBeGreaterThan(100);
  });

  it('names the file and the place', async () => {
    const whole = (await recordedRun()).snapshot();
    const [path, bytes] = [...whole][0] ?? ['', new Uint8Array()];
    const changed = Uint8Array.from(bytes);
    changed[40] = (changed[40] ?? 0) ^ 1;
    const result = await open(new MemoryDisk(new Map(whole).set(path, changed)));
    expect(!result.ok && result.failure).toMatchObject({ code: 'corrupt' });
    expect(!result.ok && result.failure.message).toMatch(/journal-\d{8}-\d{8}\.seg is damaged at byte \d+/);
  });
});

describe('a segment journal on a failing disk', () => {
  for (const [system, code] of [
    ['ENOSPC', 'disk-full'],
    ['EIO', 'disk-failed'],
  ] as const) {
    it(`stops at the first ${system}, wherever it strikes, and has lost nothing it acknowledged`, async () => {
      const total = (await recordedRun()).operations.length;
      for (let at = 0; at < total; at++) {
        const disk = new MemoryDisk();
        disk.failure = { at, code: system };
        const opened = await open(disk);
        if (!opened.ok) {
          expect(opened.failure.code).toBe(code);
          continue;
        }
        let certain = 0;
        const { journal } = opened.value;
        const failure = await carryOut(journal, (count) => (certain = count));
        if (failure !== null) {
          expect(failure.code).toBe(code);
          disk.failure = null;
          const later = await new Promise<Failure | undefined>((resolve) =>
            journal.append([bytesOf('z')], { sync: true }, resolve),
          );
          expect(later?.code).toBe(code);
        }
        await journal.close();
        disk.failure = null;
        const found = await recovered(disk.snapshot());
        expect('text' in found && holdsAll(found.text, certain)).toBe(true);
      }
    });
  }
});
