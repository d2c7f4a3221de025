import type { Result } from '../../shared/domain/failure.ts';

export interface OutputPiece {
  readonly bytes: Uint8Array;
  readonly nextOffset: number;
  /** Bytes in the file at the time of reading. */
  readonly totalBytes: number;
}

/** Reads files that may still grow. Both fail with `not-found` or `disk-failed`. */
export interface OutputFiles {
  /** At most `bytesMax` bytes from `offset`; with nothing there, waits up to `waitMs` for more. */
  read(path: string, offset: number, bytesMax: number, waitMs: number): Promise<Result<OutputPiece>>;
  tail(path: string, bytesMax: number): Promise<Result<OutputPiece>>;
}
