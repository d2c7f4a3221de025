import type { Result } from '../../shared/domain/failure.ts';
import type { ContentHash } from '../../shared/domain/ids.ts';

export interface StoredContent {
  readonly hash: ContentHash;
  readonly bytes: number;
}

/** Bytes by their SHA-256. What is in it is whole, verified and on disk. */
export interface ContentStore {
  /** Copies a file in. Fails with `not-found`, `disk-full` or `disk-failed`. */
  putFile(path: string): Promise<Result<StoredContent>>;
  putBytes(bytes: Uint8Array): Promise<Result<StoredContent>>;
  /** Stores a stream if it has exactly this hash and length; otherwise stores nothing and fails with `corrupt`. */
  putStream(expected: StoredContent, chunks: AsyncIterable<Uint8Array>): Promise<Result<StoredContent>>;
  has(hash: ContentHash): Promise<boolean>;
  /** Path of the stored bytes, to read only; null when absent. */
  pathOf(hash: ContentHash): Promise<string | null>;
  /** Whole content up to `bytesMax`; fails with `not-found` or `limit-reached`. */
  read(hash: ContentHash, bytesMax: number): Promise<Result<Uint8Array>>;
  /** Places a copy at `path` atomically (temporary name, fsync, rename), creating folders. */
  place(hash: ContentHash, path: string, options: { readonly executable: boolean }): Promise<Result<null>>;
  /** Removes contents unused for `olderThanMs` that `keep` does not hold, until below `bytesMax`. Answers bytes freed. */
  prune(options: {
    readonly bytesMax: number;
    readonly olderThanMs: number;
    readonly keep: ReadonlySet<ContentHash>;
  }): Promise<number>;
  readonly bytes: number;
}
