import type { ContentHash, NodeId } from '../../shared/domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import { pruneFolders } from './attempt-folder.ts';
import { readManifest } from './manifest.ts';
import type { Replica } from './replica.ts';

const firstLookMs = 60_000;
const lookMs = 3_600_000;
/** Contents that nothing needs any more go once the store is larger than this, the longest unused first. */
const contentBytesMax = 20 * 1_024 ** 3;
/** Nothing that was used this lately goes: it may belong to a task that is just beginning. */
const unusedMs = 86_400_000;

export interface RetentionOptions {
  readonly self: NodeId;
  readonly attemptsHome: string;
  readonly replica: Replica;
  readonly store: ContentStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Bounds what the work of others and of this machine leaves on the disk. */
export class Retention {
  readonly #options: RetentionOptions;
  #cancel: (() => void) | null = null;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later(firstLookMs);
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Answers bytes freed. */
  async tidy(): Promise<number> {
    const { attemptsHome, replica, store, self } = this.#options;
    const live = replica.state().tasks.runningOn(self);
    await pruneFolders(attemptsHome, new Set(live.map(({ key }) => `${key.job}.${key.index}.${key.attempt}`)));
    if (store.bytes <= contentBytesMax) return 0;
    return store.prune({ bytesMax: contentBytesMax, olderThanMs: unusedMs, keep: await this.#needed() });
  }

  /** What unfinished jobs of this machine may still be asked for. */
  async #needed(): Promise<Set<ContentHash>> {
    const { replica, store, self } = this.#options;
    const needed = new Set<ContentHash>();
    for (const job of replica.state().tasks.jobs()) {
      if (job.submitter !== self || job.endedAt !== null) continue;
      needed.add(job.manifest);
      const manifest = await readManifest(store, job.manifest);
      for (const file of [...manifest.shared, ...manifest.items.flatMap((item) => item.inputs)]) needed.add(file.hash);
    }
    return needed;
  }

  #later(afterMs: number): void {
    this.#cancel = this.#options.clock.setTimer(afterMs, () => {
      this.tidy()
        .catch((error: unknown) => this.#options.logger.warn('tidying up failed', { reason: String(error) }))
        .finally(() => this.#later(lookMs));
    });
  }
}
