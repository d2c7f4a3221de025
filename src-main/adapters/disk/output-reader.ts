import { open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { ok, type Result } from '../../../shared/domain/failure.ts';
import { diskFailure } from './disk-failure.ts';

export interface OutputPiece {
  readonly bytes: Uint8Array;
  /** Where the next read continues, in bytes from the beginning. */
  readonly nextOffset: number;
  /** Bytes in the file at the time of reading. */
  readonly totalBytes: number;
}

/** Files that grow are looked at this often while somebody waits. */
const lookMs = 50;
const waitMsMax = 60_000;

/**
 * Reads a file that may still grow, from `offset`, at most `bytesMax` bytes. With nothing to read there it waits up to
 * `waitMs` for more. An empty piece means that none came. Fails with `not-found` or `disk-failed`.
 */
export async function readOutput(
  path: string,
  offset: number,
  bytesMax: number,
  waitMs = 0,
): Promise<Result<OutputPiece>> {
  try {
    const file = await open(path, 'r');
    try {
      const until = performance.now() + Math.min(waitMs, waitMsMax);
      let { size } = await file.stat();
      while (size <= offset && performance.now() < until) {
        await pause(lookMs);
        ({ size } = await file.stat());
      }
      const buffer = Buffer.alloc(Math.max(0, Math.min(bytesMax, size - offset)));
      const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, offset);
      return ok({ bytes: buffer.subarray(0, bytesRead), nextOffset: offset + bytesRead, totalBytes: size });
    } finally {
      await file.close();
    }
  } catch (error) {
    return { ok: false, failure: diskFailure(error, 'reading', path) };
  }
}

/** The last `bytesMax` bytes of a file. Fails as `readOutput` does. */
export async function readTail(path: string, bytesMax: number): Promise<Result<OutputPiece>> {
  const start = await readOutput(path, 0, 0);
  return start.ok ? readOutput(path, Math.max(0, start.value.totalBytes - bytesMax), bytesMax) : start;
}
