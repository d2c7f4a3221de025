import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, FailureError, ok, type Failure, type Result } from '../../../shared/domain/failure.ts';
import { contentHash, type ContentHash } from '../../../shared/domain/ids.ts';
import type { ContentStore, StoredContent } from '../../ports/content-store.ts';
import { diskFailure, errorCode } from './disk-failure.ts';
import { syncFolder } from './journal-file-system.ts';

const hashPattern = /^[0-9a-f]{64}$/;
/** Bytes hashed and written at a time: 128 KiB take well under a millisecond of the loop. */
const pieceBytes = 128 * 1_024;
const temporaryFolder = 'incoming';

interface Entry {
  readonly hash: ContentHash;
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/** Opens the store in `dir`, creating it, and removes what unfinished writes left. Fails with `disk-full` or `disk-failed`. */
export async function openContentStore(dir: string): Promise<Result<ContentStore>> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await rm(join(dir, temporaryFolder), { recursive: true, force: true });
    await mkdir(join(dir, temporaryFolder), { mode: 0o700 });
    let bytes = 0;
    for await (const entry of entriesOf(dir)) bytes += entry.bytes;
    return ok(new FileContentStore(dir, bytes));
  } catch (error) {
    return { ok: false, failure: diskFailure(error, 'opening the content store in', dir) };
  }
}

async function* entriesOf(dir: string): AsyncGenerator<Entry> {
  for (const folder of await readdir(dir)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue;
    for (const name of await readdir(join(dir, folder))) {
      if (!hashPattern.test(name)) continue;
      const path = join(dir, folder, name);
      const found = await stat(path);
      yield { hash: contentHash(name), path, bytes: found.size, usedMs: found.mtimeMs };
    }
  }
}

/** Contents lie at `<first two digits>/<hash>`. The modification time of a file says when it was last used. */
class FileContentStore implements ContentStore {
  readonly #dir: string;
  #bytes: number;
  /** One arrival after the other gets its name, so that the same content arriving twice is counted once. */
  #lastKept: Promise<void> = Promise.resolve();

  constructor(dir: string, bytes: number) {
    this.#dir = dir;
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  putFile(path: string): Promise<Result<StoredContent>> {
    return this.#store(piecesOf(path), null, path);
  }

  putBytes(bytes: Uint8Array): Promise<Result<StoredContent>> {
    return this.#store([bytes], null, 'given bytes');
  }

  putStream(expected: StoredContent, chunks: AsyncIterable<Uint8Array>): Promise<Result<StoredContent>> {
    return this.#store(chunks, expected, `content ${expected.hash}`);
  }

  async has(hash: ContentHash): Promise<boolean> {
    return (await this.pathOf(hash)) !== null;
  }

  async pathOf(hash: ContentHash): Promise<string | null> {
    if (!hashPattern.test(hash)) return null;
    const path = this.#placeOf(hash);
    try {
      const now = new Date();
      await utimes(path, now, now);
      return path;
    } catch {
      // Absent, or unreadable, which is as good as absent to whoever wants to read it.
      return null;
    }
  }

  async read(hash: ContentHash, bytesMax: number): Promise<Result<Uint8Array>> {
    const path = await this.pathOf(hash);
    if (path === null) return fail('not-found', `content ${hash} is not stored here`);
    try {
      const { size } = await stat(path);
      if (size > bytesMax)
        return fail('limit-reached', `content ${hash} has ${String(size)} bytes, more than ${String(bytesMax)}`);
      return ok(await readFile(path));
    } catch (error) {
      return { ok: false, failure: diskFailure(error, 'reading', path) };
    }
  }

  async place(hash: ContentHash, path: string, options: { readonly executable: boolean }): Promise<Result<null>> {
    const stored = await this.pathOf(hash);
    if (stored === null) return fail('not-found', `content ${hash} is not stored here`);
    const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
    try {
      await mkdir(dirname(path), { recursive: true });
      const copied = await copyChecked(piecesOf(stored), temporary);
      if (copied.hash !== hash) {
        await rm(temporary, { force: true });
        return fail(
          'corrupt',
          `the stored content ${hash} no longer matches its hash`,
          'fetch it again from a member that has it',
        );
      }
      await chmod(temporary, options.executable ? 0o755 : 0o644);
      await rename(temporary, path);
      await syncFolder(dirname(path));
      return ok(null);
    } catch (error) {
      await rm(temporary, { force: true });
      return { ok: false, failure: diskFailure(error, 'placing', path) };
    }
  }

  async prune(options: {
    readonly bytesMax: number;
    readonly olderThanMs: number;
    readonly keep: ReadonlySet<ContentHash>;
  }): Promise<number> {
    if (this.#bytes <= options.bytesMax) return 0;
    const before = Date.now() - options.olderThanMs;
    const entries: Entry[] = [];
    for await (const entry of entriesOf(this.#dir)) entries.push(entry);
    let freed = 0;
    for (const entry of entries.sort((left, right) => left.usedMs - right.usedMs)) {
      if (this.#bytes <= options.bytesMax || entry.usedMs > before) break;
      if (options.keep.has(entry.hash)) continue;
      await rm(entry.path, { force: true });
      this.#bytes -= entry.bytes;
      freed += entry.bytes;
    }
    return freed;
  }

  #placeOf(hash: string): string {
    return join(this.#dir, hash.slice(0, 2), hash);
  }

  async #store(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    expected: StoredContent | null,
    what: string,
  ): Promise<Result<StoredContent>> {
    const temporary = join(this.#dir, temporaryFolder, randomBytes(12).toString('hex'));
    try {
      const copied = await copyChecked(chunks, temporary, expected?.bytes);
      if (expected !== null && (copied.hash !== expected.hash || copied.bytes !== expected.bytes)) {
        await rm(temporary, { force: true });
        return fail(
          'corrupt',
          `${what}: ${String(copied.bytes)} bytes arrived that do not match it`,
          'fetch it from another member',
        );
      }
      const kept = this.#lastKept.then(() => this.#keep(temporary, copied));
      this.#lastKept = kept.catch(() => undefined);
      await kept;
      return ok(copied);
    } catch (error) {
      await rm(temporary, { force: true });
      return { ok: false, failure: storingFailure(error, expected !== null, what) };
    }
  }

  async #keep(temporary: string, content: StoredContent): Promise<void> {
    const path = this.#placeOf(content.hash);
    const replaced = await stat(path).then(
      (found) => found.size,
      () => null,
    );
    const created = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    if (created !== undefined) await syncFolder(this.#dir);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    this.#bytes += content.bytes - (replaced ?? 0);
  }
}

/** A stream that breaks off is its sender's doing, not the disk's: system errors have a code, and its own failure goes first. */
function storingFailure(error: unknown, fromStream: boolean, what: string): Failure {
  if (error instanceof FailureError) return error.failure;
  if (!fromStream || errorCode(error).startsWith('E')) return diskFailure(error, 'storing', what);
  const reason = error instanceof Error ? error.message : String(error);
  return fail('corrupt', `${what} broke off: ${reason}`, 'fetch it from another member').failure;
}

/** Reads a file through one buffer: each piece is valid only until the next is asked for. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(pieceBytes);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Writes a stream to a new file, synced, and says what it was. Stops reading one byte past `bytesMax`. */
async function copyChecked(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  path: string,
  bytesMax = Number.MAX_SAFE_INTEGER,
): Promise<StoredContent> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.byteLength; from += pieceBytes) {
        const piece = chunk.subarray(from, from + pieceBytes);
        hash.update(piece);
        await file.writeFile(piece);
      }
      bytes += chunk.byteLength;
      if (bytes > bytesMax) break;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { hash: contentHash(hash.digest('hex')), bytes };
}
