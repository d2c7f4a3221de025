import { assert } from '../../shared/assert.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import {
  applyToContent,
  applyToNames,
  type Content,
  type DiskOperation,
  type Image,
  type Names,
} from './memory-disk.ts';

export interface ImageOptions {
  /** What a disk writes whole or not at all. Small in tests, so that small files span many. */
  readonly sectorBytes: number;
  /** Images of one moment; where there are more, some are drawn. */
  readonly imagesMax: number;
  readonly random: Random;
}

/** All subsets up to this many items; beyond, the telling ones and some drawn. */
const wholeSubsetsMax = 8;
const drawnSubsets = 40;

function* subsets<Item>(items: readonly Item[], random: Random): Generator<readonly Item[]> {
  if (items.length <= wholeSubsetsMax) {
    for (let mask = 0; mask < 2 ** items.length; mask++) yield items.filter((_, place) => (mask & (1 << place)) !== 0);
    return;
  }
  for (let length = 0; length <= items.length; length++) {
    yield items.slice(0, length);
    yield items.filter((_, place) => place !== length);
    yield items.filter((_, place) => place === length);
  }
  for (let draw = 0; draw < drawnSubsets; draw++) yield items.filter(() => random.next() < 0.5);
}

/** The parts of a write that reach the disk apart from one another. */
function fragments(operation: DiskOperation, sectorBytes: number): readonly DiskOperation[] {
  if (operation.type !== 'write') return [operation];
  const parts: DiskOperation[] = [];
  for (let at = 0; at < operation.bytes.byteLength;) {
    const offset = operation.offset + at;
    const end = Math.min(operation.bytes.byteLength, at + sectorBytes - (offset % sectorBytes));
    parts.push({ ...operation, offset, bytes: operation.bytes.subarray(at, end) });
    at = end;
  }
  return parts;
}

/** One file: what is certainly on disk, and what may be. In the order written. */
class FileHistory {
  #settled: Uint8Array;
  #open: { readonly operation: DiskOperation; certain: boolean; lost: boolean }[] = [];

  constructor(settled: Uint8Array = new Uint8Array()) {
    this.#settled = settled;
  }

  add(operation: DiskOperation): void {
    this.#open.push({ operation, certain: false, lost: false });
  }

  sync(): void {
    for (const one of this.#open) if (!one.lost) one.certain = true;
    while (this.#open[0]?.certain === true) this.#settle(this.#open.shift()?.operation);
  }

  syncFailed(): void {
    for (const one of this.#open) if (!one.certain) one.lost = true;
  }

  #settle(operation: DiskOperation | undefined): void {
    if (operation === undefined || !('file' in operation)) return;
    const content: Content = new Map([[operation.file, this.#settled]]);
    applyToContent(content, operation);
    this.#settled = content.get(operation.file) ?? this.#settled;
  }

  /** What this file may hold after a power cut. */
  *variants({ sectorBytes, random }: ImageOptions): Generator<Uint8Array> {
    const parts = this.#open.flatMap(({ operation, certain }) =>
      (certain ? [operation] : fragments(operation, sectorBytes)).map((part) => ({ part, certain })),
    );
    const doubtful = parts.filter(({ certain }) => !certain);
    for (const chosen of subsets(doubtful, random)) {
      const kept = parts.filter((one) => one.certain || chosen.includes(one));
      yield this.#with(kept.map(({ part }) => part));
      yield* this.#torn(kept, random);
    }
    // The length may have reached the disk before any of the bytes: the rest reads as zeros.
    const longest = Math.max(
      0,
      ...parts.map(({ part }) => (part.type === 'write' ? part.offset + part.bytes.byteLength : 0)),
    );
    const certain = this.#with(parts.filter((one) => one.certain).map(({ part }) => part));
    if (longest > certain.byteLength) {
      const zeros = new Uint8Array(longest);
      zeros.set(certain);
      yield zeros;
    }
  }

  /** The last part cut somewhere: not every disk keeps its word about sectors. */
  *#torn(
    kept: readonly { readonly part: DiskOperation; readonly certain: boolean }[],
    random: Random,
  ): Generator<Uint8Array> {
    const last = kept.at(-1);
    if (last?.part.type !== 'write' || last.certain || last.part.bytes.byteLength < 2) return;
    const before = kept.slice(0, -1).map(({ part }) => part);
    const length = 1 + random.below(last.part.bytes.byteLength - 1);
    yield this.#with([...before, { ...last.part, bytes: last.part.bytes.subarray(0, length) }]);
  }

  #with(operations: readonly DiskOperation[]): Uint8Array {
    const content: Content = new Map([[-1, this.#settled]]);
    for (const operation of operations) {
      if (operation.type === 'write' || operation.type === 'truncate')
        applyToContent(content, { ...operation, file: -1 });
    }
    return content.get(-1) ?? this.#settled;
  }
}

/** Follows the operations of a run and tells at any moment what a power cut could leave. */
export class CrashImages {
  readonly #files = new Map<number, FileHistory>();
  readonly #names: Names = new Map();
  #pendingNames: DiskOperation[] = [];

  /** Begins with what is certainly on disk; files are numbered as a `MemoryDisk` of the same image does. */
  constructor(from: Image = new Map()) {
    let file = 0;
    for (const [path, bytes] of from) {
      file += 1;
      this.#names.set(path, file);
      this.#files.set(file, new FileHistory(bytes));
    }
  }

  follow(operation: DiskOperation): void {
    switch (operation.type) {
      case 'create':
        this.#files.set(operation.file, new FileHistory());
        this.#pendingNames.push(operation);
        break;
      case 'rename':
      case 'remove':
        this.#pendingNames.push(operation);
        break;
      case 'write':
      case 'truncate':
        this.#history(operation.file).add(operation);
        break;
      case 'sync':
        this.#history(operation.file).sync();
        break;
      case 'sync-failed':
        this.#history(operation.file).syncFailed();
        break;
      case 'sync-folder':
        for (const named of this.#pendingNames) applyToNames(this.#names, named);
        this.#pendingNames = [];
        break;
      case 'promise':
        break;
    }
  }

  #history(file: number): FileHistory {
    const known = this.#files.get(file);
    assert(known !== undefined, `file ${file} was never created`);
    return known;
  }

  /** Each state in which the disk may be found; names and contents reach it independently of one another. */
  *images(options: ImageOptions): Generator<Image> {
    const namings = [...subsets(this.#pendingNames, options.random)].map((named) => {
      const seen: Names = new Map(this.#names);
      for (const operation of named) applyToNames(seen, operation);
      return seen;
    });
    const files = [...this.#files].filter(([file]) => namings.some((names) => [...names.values()].includes(file)));
    const variants = files.map(([file, history]) => ({ file, all: [...history.variants(options)] }));
    const total = variants.reduce((product, { all }) => product * all.length, namings.length);
    const share = Math.min(total, options.imagesMax);
    for (let index = 0; index < share; index++) {
      // Every one where they fit, in counting order; otherwise drawn.
      let number = total <= options.imagesMax ? index : Math.floor(options.random.next() * total);
      const names = namings[number % namings.length] ?? this.#names;
      number = Math.floor(number / namings.length);
      const contents: Content = new Map();
      for (const { file, all } of variants) {
        contents.set(file, all[number % all.length] ?? new Uint8Array());
        number = Math.floor(number / all.length);
      }
      yield new Map([...names].map(([path, file]) => [path, contents.get(file) ?? new Uint8Array()]));
    }
  }
}
