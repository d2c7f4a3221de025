import { join } from 'node:path';
import type { Logger } from '../ports/logger.ts';
import { readSmallFile, writeFileAtomically } from '../swarm/atomic-file.ts';
import { parseJson } from './node-record.ts';

const foldersMax = 8;
const fileBytesMax = 64 * 1_024;

/** The folders that work was submitted from on this machine, newest first. A convenience: losing it costs nothing. */
export class RecentFolders {
  readonly #path: string;
  readonly #logger: Logger;
  #folders: readonly string[];

  private constructor(path: string, logger: Logger, folders: readonly string[]) {
    this.#path = path;
    this.#logger = logger;
    this.#folders = folders;
  }

  static async open(home: string, logger: Logger): Promise<RecentFolders> {
    const path = join(home, 'recent-folders.json');
    const found = await readSmallFile(path, fileBytesMax);
    const kept = found.ok && found.value !== null ? parseJson(found.value.toString('utf8')) : null;
    const folders = Array.isArray(kept) ? kept.filter((folder): folder is string => typeof folder === 'string') : [];
    return new RecentFolders(path, logger, folders.slice(0, foldersMax));
  }

  list(): readonly string[] {
    return this.#folders;
  }

  async used(folder: string): Promise<void> {
    if (this.#folders[0] === folder) return;
    this.#folders = [folder, ...this.#folders.filter((known) => known !== folder)].slice(0, foldersMax);
    const written = await writeFileAtomically(this.#path, `${JSON.stringify(this.#folders)}\n`);
    if (!written.ok) this.#logger.warn('the recent folders could not be kept', { reason: written.failure.message });
  }
}
