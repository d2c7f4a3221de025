import type { Failure } from '../../shared/domain/failure.ts';

/**
 * The durable sequence of records behind the acceptor. Records come back in the order appended.
 * After any failure nothing more is accepted: the node must stop acknowledging.
 */
export interface Journal {
  /**
   * Appends in order. With `sync`, `done` is called once these and all earlier records are on disk;
   * without it, once they are handed to the system. `done` is never called from within this call,
   * and calls come in the order of the appends. A failure is final.
   */
  append(records: readonly Uint8Array[], options: { readonly sync: boolean }, done: (failure?: Failure) => void): void;
  /**
   * Makes `head` the new beginning: recovery returns it first, then every record appended after this call.
   * Atomic: a crash leaves the old journal or the new one. `done` as above. `head` may be read later, in parts, and more
   * than once: it must be the same each time.
   */
  replaceHead(head: Iterable<Uint8Array>, done: (failure?: Failure) => void): void;
  /** Bytes on disk. */
  readonly bytes: number;
  close(): Promise<void>;
}

/** What opening a journal finds. A damaged record before the last synced marker is a failure, never a silent cut. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly records: readonly Uint8Array[];
  /** Bytes of an unfinished write at the very end that were dropped; their loss was never acknowledged. */
  readonly tornBytes: number;
  /** There was no journal before: whoever remembers having had one here must not vote under its old name. */
  readonly created: boolean;
}
