import type { Result } from '../../shared/domain/failure.ts';

/** Bytes of a file system that this user may still take, and all it has. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * Room set aside on the disk of the state directory while there was plenty, to be given up when there is none: so
 * that what makes room, and what must be remembered, can still be written.
 */
export interface SpaceReserve {
  /** The folder whose disk is meant. */
  readonly folder: string;
  /** Bytes set aside when it is whole; 0 where none is wanted. */
  readonly bytes: number;
  /** Whether it is there now. */
  readonly held: boolean;
  /** Fails with `disk-failed`. */
  space(): Promise<Result<DiskSpace>>;
  /** Gives the room up. Answers false when there was none to give. */
  release(): Promise<boolean>;
  /** Sets the room aside, on disk when it resolves. Fails with `disk-full` or `disk-failed` and then holds nothing. */
  build(): Promise<Result<null>>;
}
