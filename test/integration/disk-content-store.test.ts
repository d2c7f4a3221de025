import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailureError } from '../../shared/domain/failure.ts';
import { contentHash } from '../../shared/domain/ids.ts';
import { openContentStore } from '../../src-main/adapters/disk/file-content-store.ts';
import { readOutput, readTail } from '../../src-main/adapters/disk/output-reader.ts';
import { readSmallFile, writeFileAtomically } from '../../src-main/swarm/atomic-file.ts';
import type { ContentStore } from '../../src-main/ports/content-store.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skein-content-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function open(): Promise<ContentStore> {
  const opened = await openContentStore(join(dir, 'content'));
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.value;
}
const hashOf = (bytes: Uint8Array) => contentHash(createHash('sha256').update(bytes).digest('hex'));
async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += size) yield bytes.subarray(from, from + size);
}

describe('the content store', () => {
  it('finds what was put by its hash, also after it was opened again', async () => {
    const store = await open();
    const bytes = Buffer.alloc(1_000_000, 'content');
    await writeFile(join(dir, 'input'), bytes);
    expect(await store.putFile(join(dir, 'input'))).toEqual({
      ok: true,
      value: { hash: hashOf(bytes), bytes: bytes.byteLength },
    });
    await store.putBytes(bytes);
    expect(store.bytes).toBe(bytes.byteLength);
    const again = await open();
    expect(again.bytes).toBe(bytes.byteLength);
    expect(await again.has(hashOf(bytes))).toBe(true);
    expect(await again.read(hashOf(bytes), bytes.byteLength)).toEqual({ ok: true, value: bytes });
    expect(await again.read(hashOf(bytes), 10)).toMatchObject({ failure: { code: 'limit-reached' } });
  });

  it('stores a stream that is what it should be, and nothing of one that is not', async () => {
    const store = await open();
    const bytes = Buffer.alloc(300_000, 'stream');
    const expected = { hash: hashOf(bytes), bytes: bytes.byteLength };
    const wrong = [bytes.subarray(1), Buffer.concat([bytes, bytes]), Buffer.alloc(300_000, 'strewn')];
    for (const other of wrong)
      expect(await store.putStream(expected, inChunks(other, 70_000))).toMatchObject({ failure: { code: 'corrupt' } });
    expect(await store.has(expected.hash)).toBe(false);
    expect(await readdir(join(dir, 'content', 'incoming'))).toEqual([]);
    expect(await store.putStream(expected, inChunks(bytes, 70_000))).toEqual({ ok: true, value: expected });
  });

  it('keeps nothing of a stream that breaks off or a disk that is full, and says which it was', async () => {
    const store = await open();
    async function* breaking(error: Error): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begin');
      throw error;
    }
    const expected = { hash: hashOf(Buffer.from('whole')), bytes: 100 };
    const unreachable = new FailureError({ code: 'peer-unreachable', message: 'it went away' });
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    expect(await store.putStream(expected, breaking(new Error('reset')))).toMatchObject({
      failure: { code: 'corrupt' },
    });
    expect(await store.putStream(expected, breaking(unreachable))).toMatchObject({
      failure: { code: 'peer-unreachable' },
    });
    expect(await store.putStream(expected, breaking(full))).toMatchObject({ failure: { code: 'disk-full' } });
    expect(await readdir(join(dir, 'content', 'incoming'))).toEqual([]);
    expect(store.bytes).toBe(0);
  });

  it('sweeps what an unfinished write left, and says what is not there', async () => {
    const store = await open();
    await writeFile(join(dir, 'content', 'incoming', 'half'), 'half');
    await open();
    expect(await readdir(join(dir, 'content', 'incoming'))).toEqual([]);
    const absent = hashOf(Buffer.from('absent'));
    expect(await store.pathOf(absent)).toBeNull();
    expect(await store.pathOf(contentHash('../../etc/passwd'))).toBeNull();
    expect(await store.read(absent, 10)).toMatchObject({ failure: { code: 'not-found' } });
    expect(await store.putFile(join(dir, 'absent'))).toMatchObject({ failure: { code: 'not-found' } });
    expect(await store.place(absent, join(dir, 'x'), { executable: false })).toMatchObject({
      failure: { code: 'not-found' },
    });
  });

  it('places a copy with its executable bit, over an older file, and notices damage before it does', async () => {
    const store = await open();
    const put = await store.putBytes(Buffer.from('#!/bin/sh\n'));
    if (!put.ok) throw new Error(put.failure.message);
    const target = join(dir, 'deep', 'er', 'tool');
    expect(await store.place(put.value.hash, target, { executable: true })).toEqual({ ok: true, value: null });
    expect((await stat(target)).mode & 0o777).toBe(0o755);
    const stored = await store.pathOf(put.value.hash);
    await writeFile(stored ?? '', 'damaged');
    expect(await store.place(put.value.hash, target, { executable: true })).toMatchObject({
      failure: { code: 'corrupt' },
    });
    expect(await readFile(target, 'utf8')).toBe('#!/bin/sh\n');
    expect(await readdir(join(dir, 'deep', 'er'))).toEqual(['tool']);
  });

  it('prunes what was unused for longest, never what is to be kept', async () => {
    const store = await open();
    const hashes = [];
    for (const letter of ['a', 'b', 'c']) {
      const put = await store.putBytes(Buffer.alloc(100, letter));
      if (put.ok) hashes.push(put.value.hash);
    }
    const [a, b, c] = hashes;
    if (a === undefined || b === undefined || c === undefined) throw new Error('not stored');
    for (const [hash, secondsAgo] of [
      [a, 30],
      [b, 20],
      [c, 10],
    ] as const) {
      const used = new Date(Date.now() - secondsAgo * 1_000);
      await utimes((await store.pathOf(hash)) ?? '', used, used);
    }
    expect(await store.prune({ bytesMax: 100, olderThanMs: 60_000, keep: new Set() })).toBe(0);
    expect(await store.prune({ bytesMax: 200, olderThanMs: 15_000, keep: new Set([a]) })).toBe(100);
    expect([await store.has(a), await store.has(b), await store.has(c)]).toEqual([true, false, true]);
    expect(store.bytes).toBe(200);
  });
});

describe('a small file', () => {
  it('is replaced whole, with its mode, leaving no temporary', async () => {
    const path = join(dir, 'sub', 'policy.json');
    await writeFileAtomically(path, 'one');
    expect(await writeFileAtomically(path, '{"two":2}')).toEqual({ ok: true, value: null });
    const read = await readSmallFile(path, 1_000);
    expect(read.ok && read.value?.toString()).toBe('{"two":2}');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(dir, 'sub'))).toEqual(['policy.json']);
    expect(await readSmallFile(join(dir, 'none'), 1_000)).toEqual({ ok: true, value: null });
  });
});

describe('output', () => {
  it('is read from an offset, waits for more, and has a tail', async () => {
    const path = join(dir, 'out');
    await writeFile(path, 'hello');
    const text = (result: Awaited<ReturnType<typeof readOutput>>): string =>
      result.ok ? Buffer.from(result.value.bytes).toString() : result.failure.code;
    expect(text(await readOutput(path, 1, 3))).toBe('ell');
    expect(await readOutput(path, 5, 10)).toMatchObject({ value: { nextOffset: 5, totalBytes: 5 } });
    const waiting = readOutput(path, 5, 100, 10_000);
    await writeFile(path, ' world', { flag: 'a' });
    expect(text(await waiting)).toBe(' world');
    expect(text(await readTail(path, 5))).toBe('world');
    expect(text(await readOutput(join(dir, 'none'), 0, 1))).toBe('not-found');
  });
});
