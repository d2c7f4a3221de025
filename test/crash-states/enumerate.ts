import { createHash } from 'node:crypto';
import { seededRandom, type Random } from '../../src-main/core/machine/random.ts';
import { CrashImages } from './crash-images.ts';
import { MemoryDisk, type DiskOperation, type Image } from './memory-disk.ts';

/** What was written, and how a restart reads it. */
export interface Writer {
  readonly name: string;
  /** Writes something, drawn from `random`, to the disk, and notes on it what was promised. */
  record(disk: MemoryDisk, random: Random): Promise<void>;
  /** What a restart finds, or why it finds nothing that it may use. Its own writes go to the disk as well. */
  recover(disk: MemoryDisk): Promise<{ readonly found: string } | { readonly refused: string }>;
}

export interface Tally {
  /** Different disks that were recovered. */
  images: number;
  /** Moments at which power was cut. */
  moments: number;
  /** Disks found in the middle of a recovery and recovered again. */
  again: number;
  violation: string | null;
}

const sectorBytes = 16;
/** One recovery of so many is itself cut short, everywhere. */
const recoveriesPerSecondCut = 80;
const secondImagesMax = 6;

/** Cuts the power at every moment of one run and recovers every disk that may be left. Stops at the first violation. */
export async function enumerate(
  writer: Writer,
  seed: number,
  options: { readonly imagesPerMoment: number; readonly tally: Tally },
): Promise<void> {
  const { tally } = options;
  const random = seededRandom(seed);
  const disk = new MemoryDisk();
  await writer.record(disk, random);
  const images = new CrashImages();
  let promise: Promised = { contents: [''], certain: 0 };
  for (const [place, operation] of disk.operations.entries()) {
    images.follow(operation);
    if (operation.type === 'promise') promise = operation;
    tally.moments += 1;
    const seen = new Set<string>();
    for (const image of images.images({ sectorBytes, imagesMax: options.imagesPerMoment, random })) {
      const digest = digestOf(image);
      if (seen.has(digest)) continue;
      seen.add(digest);
      tally.images += 1;
      const twice = random.below(recoveriesPerSecondCut) === 0;
      const wrong = await judge(writer, image, promise, twice ? { random, tally } : null);
      if (wrong === null) continue;
      tally.violation = `${writer.name}, seed ${seed}, after operation ${place} (${operation.type}): ${wrong}`;
      return;
    }
  }
}

interface Promised {
  readonly contents: readonly string[];
  readonly certain: number;
}

async function judge(
  writer: Writer,
  image: Image,
  promise: Promised,
  again: { readonly random: Random; readonly tally: Tally } | null,
): Promise<string | null> {
  const disk = new MemoryDisk(image);
  const result = await writer.recover(disk);
  if ('refused' in result) return `refused: ${result.refused}`;
  if (!promise.contents.slice(promise.certain).includes(result.found))
    return `found ${JSON.stringify(result.found)}, promised ${JSON.stringify(promise.contents.slice(promise.certain))}`;
  return again === null ? null : cutAgain(writer, image, disk.operations, { promise, found: result.found }, again);
}

/** A recovery that is itself cut short must be as good as none; one that ended must have settled what it found. */
async function cutAgain(
  writer: Writer,
  image: Image,
  operations: readonly DiskOperation[],
  { promise, found }: { readonly promise: Promised; readonly found: string },
  { random, tally }: { readonly random: Random; readonly tally: Tally },
): Promise<string | null> {
  const images = new CrashImages(image);
  const settled = { contents: [found], certain: 0 };
  for (const [place, operation] of operations.entries()) {
    images.follow(operation);
    const due = place === operations.length - 1 ? settled : promise;
    for (const second of images.images({ sectorBytes, imagesMax: secondImagesMax, random })) {
      tally.again += 1;
      const wrong = await judge(writer, second, due, null);
      if (wrong !== null) return `in its recovery, after operation ${place} (${operation.type}): ${wrong}`;
    }
  }
  return null;
}

function digestOf(image: Image): string {
  const hash = createHash('md5');
  for (const [path, bytes] of image) hash.update(path).update(`:${bytes.byteLength}:`).update(bytes);
  return hash.digest('base64');
}
