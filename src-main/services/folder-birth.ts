import { stat } from 'node:fs/promises';
import { FailureError } from '../../shared/domain/failure.ts';
import { readFailure } from './file-selection.ts';

/**
 * Tells a folder from a copy of it, such as one that came back from a backup: by the moment at which the system made it,
 * and where a copy may carry that along, by the number that the file system gave it. Linux lets nobody set that moment,
 * and not all of its file systems keep the number. Null where the system does not tell. A snapshot of a whole disk or
 * of a virtual machine carries both along. Throws a FailureError of the disk.
 */
export async function folderBirth(path: string): Promise<string | null> {
  try {
    const { birthtimeNs, ino } = await stat(path, { bigint: true });
    if (birthtimeNs <= 0n) return null;
    return process.platform === 'linux' ? String(birthtimeNs) : `${birthtimeNs}.${ino}`;
  } catch (error) {
    throw new FailureError(readFailure(path, error), { cause: error });
  }
}
