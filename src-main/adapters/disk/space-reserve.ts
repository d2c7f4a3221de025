import { randomBytes } from 'node:crypto';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, type Result } from '../../../shared/domain/failure.ts';
import type { DiskSpace, SpaceReserve } from '../../ports/space-reserve.ts';
import { diskFailure } from './disk-failure.ts';

/** Enough for hours of a busy log, a snapshot and a clean-up (docs/invariants.md S4). */
export const reserveBytesDefault = 64 * 1_024 * 1_024;

/** A small disk gives at most this share of itself. */
const shareOfDisk = 1 / 20;
const fileName = 'reserve';
const pieceBytes = 1_024 * 1_024;

/** Opens the reserve of a folder; what an earlier process set aside is kept. Fails with `disk-failed`. */
export async function openSpaceReserve(
  folder: string,
  wantedBytes = reserveBytesDefault,
): Promise<Result<SpaceReserve>> {
  const path = join(folder, fileName);
  const found = await spaceOf(folder);
  if (!found.ok) return found;
  const bytes = Math.min(wantedBytes, Math.floor(found.value.totalBytes * shareOfDisk));
  const present = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return ok(new FileReserve(folder, path, bytes, bytes > 0 && present >= bytes));
}

async function spaceOf(folder: string): Promise<Result<DiskSpace>> {
  try {
    const { bavail, bsize, blocks } = await statfs(folder);
    return ok({ freeBytes: bavail * bsize, totalBytes: blocks * bsize });
  } catch (error) {
    return { ok: false, failure: diskFailure(error, 'looking for free space in', folder) };
  }
}

class FileReserve implements SpaceReserve {
  readonly folder: string;
  readonly bytes: number;
  readonly #path: string;
  #held: boolean;

  constructor(folder: string, path: string, bytes: number, held: boolean) {
    this.folder = folder;
    this.#path = path;
    this.bytes = bytes;
    this.#held = held;
  }

  get held(): boolean {
    return this.#held;
  }

  space(): Promise<Result<DiskSpace>> {
    return spaceOf(this.folder);
  }

  async release(): Promise<boolean> {
    const had = this.#held;
    this.#held = false;
    try {
      // Also what an unfinished build left: it holds room all the same.
      await rm(this.#path, { force: true });
      return had;
    } catch {
      // A disk that cannot even delete gives no room.
      return false;
    }
  }

  async build(): Promise<Result<null>> {
    if (this.bytes === 0) return ok(null);
    try {
      await this.#write();
      this.#held = true;
      return ok(null);
    } catch (error) {
      await this.release();
      return { ok: false, failure: diskFailure(error, 'setting space aside in', this.#path) };
    }
  }

  /** Real bytes, and not all alike: a sparse or compressed file would set nothing aside. */
  async #write(): Promise<void> {
    const file = await open(this.#path, 'w', 0o600);
    try {
      const piece = randomBytes(Math.min(pieceBytes, this.bytes));
      for (let at = 0; at < this.bytes; at += pieceBytes) {
        await file.writeFile(piece.subarray(0, Math.min(pieceBytes, this.bytes - at)));
      }
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}
