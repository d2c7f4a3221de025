import { createWriteStream, mkdirSync, renameSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** A run that prints more than this has said enough; the rest is dropped. */
const bytesMax = 8 * 1024 * 1024;

/** Keeps what the node process prints in a file; the one of the run before stays beside it. */
export function openOutputFile(folder: string): (text: string) => void {
  let stream: WriteStream | null = null;
  let left = bytesMax;
  try {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'node.log');
    moveAside(path, join(folder, 'node.previous.log'));
    stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
    // A full disk must not stop the app: the node itself reports it where it matters.
    stream.on('error', () => (stream = null));
  } catch (error) {
    console.warn('no log of the node process can be kept:', error);
  }
  return (text) => {
    if (stream === null || left <= 0) return;
    left -= Buffer.byteLength(text);
    stream.write(left > 0 ? text : '\n(more was printed, and is not kept)\n');
  };
}

function moveAside(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
