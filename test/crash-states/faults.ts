import type { JournalFileSystem } from '../../src-main/adapters/disk/journal-file-system.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import type { DiskOperation, Fault, MemoryDisk } from './memory-disk.ts';

type Faults = (random: Random) => (change: DiskOperation, number: number) => Fault | null;

/** Operations of a run among which the first refused one is drawn. */
const operationsLikely = 60;

/** One sync fails; what was written before it may be gone although every reader still sees it. */
export const oneFailedSync: Faults = (random) => {
  const from = random.below(operationsLikely);
  let failed = false;
  return (change, number) => {
    if (failed || number < from || change.type !== 'sync') return null;
    failed = true;
    return { code: 'EIO' };
  };
};

/** For a while every write finds too little space, and takes what it can. */
export const fullForAWhile: Faults = (random) => {
  const from = random.below(operationsLikely);
  const until = from + 1 + random.below(6);
  return (change, number) => {
    if (number < from || number >= until || change.type !== 'write') return null;
    return { code: 'ENOSPC', bytesTaken: random.below(change.bytes.byteLength) };
  };
};

/** A disk with some of its calls replaced: where the fault of a wrong writer is put in. */
export function replacing(disk: MemoryDisk, wrong: Partial<JournalFileSystem>): JournalFileSystem {
  return {
    makeFolder: () => disk.makeFolder(),
    list: (folder) => disk.list(folder),
    read: (path) => disk.read(path),
    open: (path, create) => disk.open(path, create),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncFolder: () => disk.syncFolder(),
    ...wrong,
  };
}

const ignoring = async (work: Promise<void>, code: string): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== code) throw error;
  }
};

export interface WrongWriter {
  readonly name: string;
  readonly through: (disk: MemoryDisk) => JournalFileSystem;
  readonly faults?: Faults;
}

/** Each does one thing that a writer must never do; the enumeration has to notice every one. */
export const wrongWriters: readonly WrongWriter[] = [
  {
    name: 'rename without a sync of the folder',
    through: (disk) => replacing(disk, { syncFolder: () => Promise.resolve() }),
  },
  {
    name: 'no sync at all',
    through: (disk) =>
      replacing(disk, {
        open: async (path, create) => ({ ...(await disk.open(path, create)), sync: () => Promise.resolve() }),
      }),
  },
  {
    name: 'a failed sync ignored',
    faults: oneFailedSync,
    through: (disk) =>
      replacing(disk, {
        open: async (path, create) => {
          const file = await disk.open(path, create);
          return { ...file, sync: () => ignoring(file.sync(), 'EIO') };
        },
      }),
  },
  {
    name: 'a failed sync made again',
    faults: oneFailedSync,
    through: (disk) =>
      replacing(disk, {
        open: async (path, create) => {
          const file = await disk.open(path, create);
          return { ...file, sync: () => file.sync().catch(() => file.sync()) };
        },
      }),
  },
  {
    name: 'a full disk ignored',
    faults: fullForAWhile,
    through: (disk) =>
      replacing(disk, {
        open: async (path, create) => {
          const file = await disk.open(path, create);
          return { ...file, write: (bytes, offset) => ignoring(file.write(bytes, offset), 'ENOSPC') };
        },
      }),
  },
];

/** Trusts the cache for what an earlier process wrote: caught only where a sync has failed in between. */
export const trustingTheCache: WrongWriter = {
  name: 'a tail that only the cache may hold is not written again',
  faults: oneFailedSync,
  through: (disk) =>
    replacing(disk, {
      open: async (path, create) => {
        const file = await disk.open(path, create);
        return {
          ...file,
          write: (bytes, offset) => {
            const there = disk
              .snapshot()
              .get(path)
              ?.subarray(offset, offset + bytes.byteLength);
            return there !== undefined && Buffer.compare(there, bytes) === 0
              ? Promise.resolve()
              : file.write(bytes, offset);
          },
        };
      },
    }),
};
