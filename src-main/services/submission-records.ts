import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError } from '../../shared/domain/failure.ts';
import type { ContentHash } from '../../shared/domain/ids.ts';
import type { TaskItem } from '../../shared/domain/task.ts';
import { readSmallFile, writeFileAtomically } from '../swarm/atomic-file.ts';
import { parseJson } from './node-record.ts';
import { expandPlaceholders } from './placeholders.ts';
import { isRecord } from './stream-messages.ts';

const recordBytesMax = 16 * 1_024;

/** Where the outputs of a submission go. On disk before the job is in the log, so that a restart can always deliver. */
export interface SubmissionRecord {
  readonly folder: string;
  /** Tasks would write over each other's outputs, so each gets a folder named by its index. */
  readonly perTask: boolean;
}

/** One small file per submission of this machine, named by its manifest, and a list of the attempts already delivered. */
export class SubmissionRecords {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** Throws a FailureError of the disk. */
  async write(manifest: ContentHash, record: SubmissionRecord): Promise<void> {
    const written = await writeFileAtomically(join(this.#home, `${manifest}.json`), JSON.stringify(record));
    if (!written.ok) throw new FailureError(written.failure);
  }

  async read(manifest: ContentHash): Promise<SubmissionRecord | null> {
    const found = await readSmallFile(join(this.#home, `${manifest}.json`), recordBytesMax);
    if (!found.ok || found.value === null) return null;
    const parsed = parseJson(found.value.toString('utf8'));
    if (!isRecord(parsed) || typeof parsed['folder'] !== 'string') return null;
    return { folder: parsed['folder'], perTask: parsed['perTask'] === true };
  }

  /** Losing the last lines in a crash only repeats a placement, which changes nothing. */
  async noteDelivered(manifest: ContentHash, name: string): Promise<void> {
    await mkdir(this.#home, { recursive: true });
    await appendFile(join(this.#home, `${manifest}.done`), `${name}\n`);
  }

  async delivered(manifest: ContentHash): Promise<Set<string>> {
    const text = await readFile(join(this.#home, `${manifest}.done`), 'utf8').catch(() => '');
    return new Set(text.split('\n').filter((line) => line !== ''));
  }

  async forget(manifest: ContentHash): Promise<void> {
    await rm(join(this.#home, `${manifest}.json`), { force: true });
    await rm(join(this.#home, `${manifest}.done`), { force: true });
  }
}

/** Whether two tasks of a job would write the same output path: true as soon as one expanded pattern repeats. */
export function outputsCollide(
  patterns: readonly string[],
  items: readonly Pick<TaskItem, 'file' | 'line' | 'index'>[],
): boolean {
  return patterns.some((pattern) => {
    const seen = new Set<string>();
    return items.some((item) => {
      const path = expandPlaceholders(pattern, item);
      if (seen.has(path)) return true;
      seen.add(path);
      return false;
    });
  });
}
