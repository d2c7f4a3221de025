import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { ContentHash } from '../../shared/domain/ids.ts';
import type { JobManifest, TaskItem } from '../../shared/domain/task.ts';
import { tasksPerJobMax } from '../core/machine/limits.ts';
import type { ContentStore } from '../ports/content-store.ts';
import { checkedStagedFiles } from './attempt-folder.ts';
import { parseJson } from './node-record.ts';
import { isRecord } from './stream-messages.ts';
import { manifestBytesMax } from './submission.ts';

/** Reads a manifest from the store and checks it: another machine wrote it. Throws `malformed` or what the store says. */
export async function readManifest(store: ContentStore, hash: ContentHash): Promise<JobManifest> {
  const bytes = await store.read(hash, manifestBytesMax);
  if (!bytes.ok) throw new FailureError(bytes.failure);
  const parsed = parseJson(Buffer.from(bytes.value).toString('utf8'));
  const manifest = isRecord(parsed) ? checkedManifest(parsed) : null;
  if (manifest === null)
    throw new FailureError(
      fail(
        'malformed',
        `The list of tasks ${hash.slice(0, 12)} is not one this version understands.`,
        'Use the same version of Skein on all machines.',
      ).failure,
    );
  return manifest;
}

function checkedManifest(parsed: Readonly<Record<string, unknown>>): JobManifest | null {
  if (parsed['version'] !== 1 || !Array.isArray(parsed['items']) || parsed['items'].length > tasksPerJobMax)
    return null;
  const shared = checkedStagedFiles(parsed['shared'], tasksPerJobMax);
  if (shared === null) return null;
  const items: TaskItem[] = [];
  for (const entry of parsed['items'] as readonly unknown[]) {
    const item = isRecord(entry) ? checkedItem(entry) : null;
    if (item === null) return null;
    items.push(item);
  }
  return { version: 1, submission: String(parsed['submission'] ?? ''), shared, items };
}

function checkedItem(entry: Readonly<Record<string, unknown>>): TaskItem | null {
  const { file, line, index } = entry;
  const inputs = checkedStagedFiles(entry['inputs'], tasksPerJobMax);
  if (inputs === null || typeof index !== 'number' || !Number.isSafeInteger(index)) return null;
  if ((file !== undefined && typeof file !== 'string') || (line !== undefined && typeof line !== 'string')) return null;
  return { index, inputs, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}
