import type { JournalFileSystem } from '../../src-main/adapters/disk/journal-file-system.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import { writeFileAtomically } from '../../src-main/swarm/atomic-file.ts';
import type { Writer } from './enumerate.ts';
import type { DiskOperation, Fault, MemoryDisk } from './memory-disk.ts';

const path = '/home/policy.json';

/** The writer of every small file: policy, membership, node record, addresses. */
export function fileWriter(
  options: {
    readonly name?: string;
    readonly through?: (disk: MemoryDisk) => JournalFileSystem;
    readonly faults?: (random: Random) => (change: DiskOperation, number: number) => Fault | null;
  } = {},
): Writer {
  return {
    name: options.name ?? 'a small file',
    async record(disk, random) {
      const faults = options.faults?.(random);
      if (faults !== undefined) disk.fault = faults;
      const files = options.through?.(disk) ?? disk;
      const contents = [''];
      disk.operations.push({ type: 'promise', contents, certain: 0 });
      for (let version = 1, versions = 2 + random.below(4); version <= versions; version++) {
        const content = `{"version":${version},"padding":"${'y'.repeat(random.below(60))}"}`;
        contents.push(content);
        const written = await writeFileAtomically(path, content, files);
        if (!written.ok) continue;
        disk.operations.push({ type: 'promise', contents, certain: contents.length - 1 });
      }
      disk.fault = () => null;
    },
    async recover(disk) {
      return { found: new TextDecoder().decode(disk.snapshot().get(path) ?? new Uint8Array()) };
    },
  };
}
