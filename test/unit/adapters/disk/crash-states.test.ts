import { describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../../../src-main/core/machine/random.ts';
import type * as JournalFormat from '../../../../src-main/adapters/disk/journal-format.ts';
import type * as SegmentJournal from '../../../../src-main/adapters/disk/segment-journal.ts';
import { enumerate, type Tally, type Writer } from '../../../crash-states/enumerate.ts';
import { fullForAWhile, oneFailedSync, trustingTheCache, wrongWriters } from '../../../crash-states/faults.ts';
import { fileWriter } from '../../../crash-states/file-writer.ts';
import { journalWriter } from '../../../crash-states/journal-writer.ts';
import { MemoryDisk } from '../../../crash-states/memory-disk.ts';

const newTally = (): Tally => ({ images: 0, moments: 0, again: 0, violation: null });

/** `node test/crash-states/run.ts --images 300000` goes on where this stops. */
async function enumerated(writer: Writer, images: number): Promise<Tally> {
  const tally = newTally();
  for (let seed = 1; tally.images < images && tally.violation === null; seed++)
    await enumerate(writer, seed, { imagesPerMoment: 60, tally });
  return tally;
}

describe('what a power cut leaves', () => {
  const writers: readonly (readonly [Writer, number])[] = [
    [journalWriter(), 5_000],
    [journalWriter({ name: 'the journal on a disk that fails a sync', faults: oneFailedSync }), 2_500],
    [journalWriter({ name: 'the journal on a disk that is full', faults: fullForAWhile }), 1_500],
    [fileWriter(), 600],
    [fileWriter({ name: 'a small file on a disk that fails a sync', faults: oneFailedSync }), 300],
    [fileWriter({ name: 'a small file on a disk that is full', faults: fullForAWhile }), 300],
  ];
  for (const [writer, images] of writers) {
    it(`by ${writer.name} holds everything promised and nothing that was never written, on ${images} disks`, async () => {
      const tally = await enumerated(writer, images);
      expect(tally.violation).toBeNull();
      expect(tally.images).toBeGreaterThanOrEqual(images);
    }, 60_000);
  }
});

describe('the enumeration notices a writer', () => {
  for (const wrong of wrongWriters) {
    it(`of the journal that does this: ${wrong.name}`, async () => {
      expect((await enumerated(journalWriter(wrong), 20_000)).violation).not.toBeNull();
    }, 60_000);

    it(`of small files that does this: ${wrong.name}`, async () => {
      expect((await enumerated(fileWriter(wrong), 20_000)).violation).not.toBeNull();
    }, 60_000);
  }

  it(`of the journal that does this: ${trustingTheCache.name}`, async () => {
    expect((await enumerated(journalWriter(trustingTheCache), 40_000)).violation).not.toBeNull();
  }, 60_000);
});

/** Flips every byte of a journal that ended well; answers the first loss that nobody noticed. */
async function unnoticedDamage(openJournal: typeof SegmentJournal.openJournal): Promise<string | null> {
  const writer = journalWriter({ openJournal });
  const disk = new MemoryDisk();
  await writer.record(disk, seededRandom(7));
  const promise = disk.operations.findLast((operation) => operation.type === 'promise');
  if (promise === undefined) throw new Error('nothing was promised');
  const whole = disk.snapshot();
  for (const [path, bytes] of whole) {
    for (let at = 0; at < bytes.byteLength; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const result = await writer.recover(new MemoryDisk(new Map(whole).set(path, changed)));
      if ('found' in result && !promise.contents.slice(promise.certain).includes(result.found))
        return `${path} byte ${at}: ${result.found}`;
    }
  }
  return null;
}

describe('a damaged byte in what was synced', () => {
  it('is always noticed or harmless', async () => {
    const { openJournal } = await import('../../../../src-main/adapters/disk/segment-journal.ts');
    expect(await unnoticedDamage(openJournal)).toBeNull();
  });

  it('is a loss nobody notices where a recovery cuts the journal at the damage', async () => {
    vi.resetModules();
    vi.doMock('../../../../src-main/adapters/disk/journal-format.ts', async (original) => {
      const real = await original<typeof JournalFormat>();
      const scanSegment: typeof real.scanSegment = (bytes, nonce) => ({
        ...real.scanSegment(bytes, nonce),
        damagedBeforeMarker: false,
      });
      return { ...real, scanSegment };
    });
    const { openJournal } = await import('../../../../src-main/adapters/disk/segment-journal.ts');
    expect(await unnoticedDamage(openJournal)).not.toBeNull();
    vi.doUnmock('../../../../src-main/adapters/disk/journal-format.ts');
  });
});
