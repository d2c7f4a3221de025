import type { JournalFile, JournalFileSystem } from '../../src-main/adapters/disk/journal-file-system.ts';

/** Everything asked of a disk, in order, with what the test itself knows to hold from some moment on. */
export type DiskOperation =
  | { readonly type: 'create'; readonly path: string; readonly file: number }
  | { readonly type: 'write'; readonly file: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly file: number; readonly length: number }
  | { readonly type: 'sync'; readonly file: number }
  /** The sync was refused: what was written before it may or may not be on disk, and no later sync changes that. */
  | { readonly type: 'sync-failed'; readonly file: number }
  /** `file` is what had the name `from` when this was asked: a folder on disk says which file a name means. */
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly file: number }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'sync-folder' }
  /** From here on a recovery must find one of `contents` from `certain` on; later ones are added as they are written. */
  | { readonly type: 'promise'; readonly contents: readonly string[]; readonly certain: number };

type Change = Exclude<DiskOperation, { type: 'promise' }>;
export type Content = Map<number, Uint8Array>;
export type Names = Map<string, number>;
/** Files by path, as a machine finds them. */
export type Image = ReadonlyMap<string, Uint8Array>;

function patched(old: Uint8Array, offset: number, bytes: Uint8Array): Uint8Array {
  const next = new Uint8Array(Math.max(old.byteLength, offset + bytes.byteLength));
  next.set(old);
  next.set(bytes, offset);
  return next;
}

function resized(old: Uint8Array, length: number): Uint8Array {
  const next = new Uint8Array(length);
  next.set(old.subarray(0, length));
  return next;
}

export function applyToContent(content: Content, operation: DiskOperation): void {
  if (operation.type === 'create') content.set(operation.file, new Uint8Array());
  if (operation.type !== 'write' && operation.type !== 'truncate') return;
  const old = content.get(operation.file) ?? new Uint8Array();
  content.set(
    operation.file,
    operation.type === 'write' ? patched(old, operation.offset, operation.bytes) : resized(old, operation.length),
  );
}

export function applyToNames(names: Names, operation: DiskOperation): void {
  if (operation.type === 'create') names.set(operation.path, operation.file);
  if (operation.type === 'remove') names.delete(operation.path);
  if (operation.type !== 'rename') return;
  names.delete(operation.from);
  names.set(operation.to, operation.file);
}

/** What goes wrong with one operation: the system's code, and for a write the bytes that were taken all the same. */
export interface Fault {
  readonly code: string;
  readonly bytesTaken?: number;
}

/**
 * A disk in memory with a cache in front of it: readers see the cache. It records each operation and fails where a test
 * says so. A sync that fails leaves the cache as it is and marks it clean, as common file systems do.
 */
export class MemoryDisk implements JournalFileSystem {
  readonly operations: DiskOperation[] = [];
  /** The operation of this number, from 0, and all after it reject with `code`. */
  failure: { readonly at: number; readonly code: string } | null = null;
  /** Asked before each operation, with its number. */
  fault: (change: Change, number: number) => Fault | null = () => null;
  readonly #content: Content = new Map();
  readonly #names: Names = new Map();
  #files = 0;

  constructor(from: Image = new Map()) {
    for (const [path, bytes] of from) {
      const file = ++this.#files;
      this.#names.set(path, file);
      this.#content.set(file, bytes);
    }
  }

  /** What a process sees that starts now, without any power cut. */
  snapshot(): Image {
    return new Map([...this.#names].map(([path, file]) => [path, this.#content.get(file) ?? new Uint8Array()]));
  }

  async #do(operation: Change): Promise<void> {
    // One turn, as a real disk takes at least: batches form in between.
    await Promise.resolve();
    const number = this.operations.length;
    if (this.failure !== null && number >= this.failure.at) throw systemError(this.failure.code);
    const fault = this.fault(operation, number);
    if (fault !== null) {
      this.#leave(operation, fault);
      throw systemError(fault.code);
    }
    this.#note(operation);
  }

  #note(operation: Change): void {
    this.operations.push(operation);
    applyToContent(this.#content, operation);
    applyToNames(this.#names, operation);
  }

  /** What a refused operation leaves behind all the same. */
  #leave(operation: Change, { bytesTaken = 0 }: Fault): void {
    if (operation.type === 'sync') this.#note({ type: 'sync-failed', file: operation.file });
    if (operation.type === 'write' && bytesTaken > 0)
      this.#note({ ...operation, bytes: operation.bytes.subarray(0, bytesTaken) });
  }

  makeFolder(): Promise<void> {
    return Promise.resolve();
  }

  list(folder: string): Promise<readonly string[]> {
    const within = [...this.#names.keys()].filter((path) => path.startsWith(`${folder}/`));
    return Promise.resolve(within.map((path) => path.slice(folder.length + 1)));
  }

  read(path: string): Promise<Uint8Array> {
    return Promise.resolve(this.#content.get(this.#names.get(path) ?? -1) ?? new Uint8Array());
  }

  async open(path: string, create: boolean): Promise<JournalFile> {
    if (create) await this.#do({ type: 'create', path, file: ++this.#files });
    const file = this.#names.get(path) ?? -1;
    return {
      write: (bytes, offset) => this.#do({ type: 'write', file, offset, bytes: Uint8Array.from(bytes) }),
      truncate: (length) => this.#do({ type: 'truncate', file, length }),
      sync: () => this.#do({ type: 'sync', file }),
      close: () => Promise.resolve(),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do({ type: 'rename', from, to, file: this.#names.get(from) ?? -1 });
  }

  remove(path: string): Promise<void> {
    return this.#do({ type: 'remove', path });
  }

  syncFolder(): Promise<void> {
    return this.#do({ type: 'sync-folder' });
  }
}

const systemError = (code: string): Error => Object.assign(new Error(`injected ${code}`), { code });
