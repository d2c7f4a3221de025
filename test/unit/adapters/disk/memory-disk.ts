import type { JournalFile, JournalFileSystem } from '../../../../src-main/adapters/disk/journal-file-system.ts';

/** Everything asked of a disk, in order; `acknowledged` is the test's own note of how many records were confirmed by then. */
export type DiskOperation =
  | { readonly type: 'create'; readonly path: string; readonly file: number }
  | { readonly type: 'write'; readonly file: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly file: number; readonly length: number }
  | { readonly type: 'sync'; readonly file: number }
  | { readonly type: 'rename'; readonly from: string; readonly to: string }
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'sync-folder' }
  | { readonly type: 'acknowledged'; readonly count: number };

type Content = Map<number, Uint8Array>;
type Names = Map<string, number>;
export type Snapshot = ReadonlyMap<string, Uint8Array>;

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

function applyToContent(content: Content, operation: DiskOperation): void {
  if (operation.type === 'create') content.set(operation.file, new Uint8Array());
  if (operation.type !== 'write' && operation.type !== 'truncate') return;
  const old = content.get(operation.file) ?? new Uint8Array();
  content.set(
    operation.file,
    operation.type === 'write' ? patched(old, operation.offset, operation.bytes) : resized(old, operation.length),
  );
}

function applyToNames(names: Names, operation: DiskOperation): void {
  if (operation.type === 'create') names.set(operation.path, operation.file);
  if (operation.type === 'remove') names.delete(operation.path);
  if (operation.type !== 'rename') return;
  const file = names.get(operation.from);
  if (file === undefined) return;
  names.delete(operation.from);
  names.set(operation.to, file);
}

/** A disk in memory that records each operation, and can be made to fail at one of them. */
export class MemoryDisk implements JournalFileSystem {
  readonly operations: DiskOperation[] = [];
  readonly #content: Content = new Map();
  readonly #names: Names = new Map();
  /** The operation of this number, from 0, and all after it reject with `code`. */
  failure: { readonly at: number; readonly code: string } | null = null;
  #files = 0;

  constructor(from: Snapshot = new Map()) {
    for (const [path, bytes] of from) {
      this.#names.set(path, ++this.#files);
      this.#content.set(this.#files, bytes);
    }
  }

  snapshot(): Snapshot {
    return new Map([...this.#names].map(([path, file]) => [path, this.#content.get(file) ?? new Uint8Array()]));
  }

  #do(operation: DiskOperation): Promise<void> {
    if (this.failure !== null && this.operations.length >= this.failure.at) {
      return Promise.reject(Object.assign(new Error(`injected ${this.failure.code}`), { code: this.failure.code }));
    }
    this.operations.push(operation);
    applyToContent(this.#content, operation);
    applyToNames(this.#names, operation);
    return Promise.resolve();
  }

  makeFolder(): Promise<void> {
    return Promise.resolve();
  }

  list(folder: string): Promise<readonly string[]> {
    return Promise.resolve(
      [...this.#names.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    );
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
    return this.#do({ type: 'rename', from, to });
  }

  remove(path: string): Promise<void> {
    return this.#do({ type: 'remove', path });
  }

  syncFolder(): Promise<void> {
    return this.#do({ type: 'sync-folder' });
  }
}

function* subsets<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  if (items.length > 6) throw new Error(`${String(items.length)} unsynced operations are too many to enumerate`);
  for (let mask = 0; mask < 2 ** items.length; mask++) yield items.filter((_, place) => (mask & (1 << place)) !== 0);
}

function* unsyncedVariants(pending: readonly DiskOperation[]): Generator<readonly DiskOperation[]> {
  for (const kept of subsets(pending)) {
    yield kept;
    const last = kept.at(-1);
    if (last?.type !== 'write') continue;
    for (let length = 0; length < last.bytes.byteLength; length++) {
      yield [...kept.slice(0, -1), { ...last, bytes: last.bytes.subarray(0, length) }];
    }
  }
}

/**
 * Every state in which a power cut after these operations may leave the disk: unsynced writes, and unsynced names, each
 * there or not, in any combination; the last surviving write cut at any byte; holes read as zeros.
 */
export function* crashStates(operations: readonly DiskOperation[]): Generator<Snapshot> {
  const content: Content = new Map();
  const pendingWrites = new Map<number, DiskOperation[]>();
  const names: Names = new Map();
  let pendingNames: DiskOperation[] = [];
  for (const operation of operations) {
    if (operation.type === 'write' || operation.type === 'truncate') {
      pendingWrites.set(operation.file, [...(pendingWrites.get(operation.file) ?? []), operation]);
    } else if (operation.type === 'sync') {
      for (const written of pendingWrites.get(operation.file) ?? []) applyToContent(content, written);
      pendingWrites.delete(operation.file);
    } else if (operation.type === 'sync-folder') {
      for (const named of pendingNames) applyToNames(names, named);
      pendingNames = [];
    } else if (operation.type !== 'acknowledged') {
      if (operation.type === 'create') content.set(operation.file, new Uint8Array());
      pendingNames.push(operation);
    }
  }
  for (const named of subsets(pendingNames)) {
    const seen: Names = new Map(names);
    for (const operation of named) applyToNames(seen, operation);
    const variants = [...pendingWrites].reduce<readonly (readonly DiskOperation[])[]>(
      (before, [, pending]) =>
        before.flatMap((chosen) => [...unsyncedVariants(pending)].map((more) => [...chosen, ...more])),
      [[]],
    );
    for (const written of variants) {
      const bytes: Content = new Map(content);
      for (const operation of written) applyToContent(bytes, operation);
      yield new Map([...seen].map(([path, file]) => [path, bytes.get(file) ?? new Uint8Array()]));
    }
  }
}
