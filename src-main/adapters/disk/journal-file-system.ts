import { writeSync } from 'node:fs';
import { open, mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** An open journal file. Offsets and lengths are bytes; a write is whole or rejects. */
export interface JournalFile {
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Resolves when all written bytes, and the file's length, are on disk. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** What the journal asks of a disk: small, so that a test can record or break each call. Rejects with system errors. */
export interface JournalFileSystem {
  makeFolder(path: string): Promise<void>;
  list(folder: string): Promise<readonly string[]>;
  read(path: string): Promise<Uint8Array>;
  /** Opens to write: `create` starts an empty file, otherwise it must exist. */
  open(path: string, create: boolean): Promise<JournalFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes names created, renamed or removed in this folder durable. */
  syncFolder(path: string): Promise<void>;
}

/** Flushes a folder's names. Windows has no such call: its file systems journal names themselves. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * A small write only copies into the system's memory, in microseconds; handing it to a thread and back costs a
 * multiple of that on every commit. What takes time is the sync, which stays on its thread.
 */
const writtenAtOnceBytesMax = 64 * 1_024;

async function openFile(path: string, create: boolean): Promise<JournalFile> {
  const handle = await open(path, create ? 'w' : 'r+', 0o600);
  return {
    async write(bytes, offset) {
      let done = 0;
      while (done < bytes.byteLength) {
        const left = bytes.byteLength - done;
        const bytesWritten =
          left <= writtenAtOnceBytesMax
            ? writeSync(handle.fd, bytes, done, left, offset + done)
            : (await handle.write(bytes, done, left, offset + done)).bytesWritten;
        if (bytesWritten === 0) throw new Error(`the system wrote nothing to ${path}`);
        done += bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}

/** The machine's own file system. */
export const realFileSystem: JournalFileSystem = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await syncFolder(join(path, '..'));
  },
  list: (folder) => readdir(folder),
  read: (path) => readFile(path),
  open: openFile,
  rename,
  remove: unlink,
  syncFolder,
};
