/** Reads the table of contents of an asar archive. */
import { openSync, readSync, closeSync } from 'node:fs';

export interface PackedFile {
  readonly path: string;
  readonly bytes: number;
}

interface Node {
  readonly files?: Readonly<Record<string, Node>>;
  readonly size?: number;
  readonly unpacked?: boolean;
}

/** Longest table that is read; ours has some kilobytes. */
const tableBytesMax = 16 * 1024 * 1024;

/** Every file in the archive, sorted by path. */
export function listAsar(archive: string): readonly PackedFile[] {
  const file = openSync(archive, 'r');
  try {
    const head = Buffer.alloc(16);
    readSync(file, head, 0, 16, 0);
    const length = head.readUInt32LE(12);
    if (length > tableBytesMax)
      throw new Error(`${archive} is no asar archive: its table would have ${String(length)} bytes`);
    const table = Buffer.alloc(length);
    readSync(file, table, 0, length, 16);
    return collect(JSON.parse(table.toString('utf8')) as Node, '').toSorted((left, right) =>
      left.path.localeCompare(right.path),
    );
  } finally {
    closeSync(file);
  }
}

function collect(node: Node, path: string): PackedFile[] {
  if (node.files === undefined) return [{ path, bytes: node.size ?? 0 }];
  return Object.entries(node.files).flatMap(([name, child]) => collect(child, path === '' ? name : `${path}/${name}`));
}
