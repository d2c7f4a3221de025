import type { KvWatchFrame } from '../../shared/contract/kv.ts';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import { slot } from '../../shared/domain/ids.ts';
import type { Slot } from '../../shared/domain/ids.ts';
import { keyOf, revisionOf } from '../core/kv/records.ts';
import { isWithin } from '../core/kv/sorted-keys.ts';
import type { KeyRange } from '../core/kv/sorted-keys.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import { changeView } from './kv-view.ts';
import type { NameOf } from './kv-view.ts';
import type { Replica } from './replica.ts';

/** Where a watch reads, and the names it tells. */
export interface WatchedReplica {
  readonly replica: Replica;
  readonly nameOf: NameOf;
}

const changesPerFrame = 200;
/** A watcher of a quiet range is told how far it has come after this many changes elsewhere, so that it can go on there. */
const quietChangesMax = 1_000;
const watchersMax = 256;

/**
 * Tells the changes of ranges. A watcher holds no queue: it remembers how far it has come and reads on in the
 * replicated history, so it misses nothing however slow its reader is or whatever snapshot came in between.
 */
export class KvWatches {
  #open = 0;

  /** Frames until `signal` aborts. Throws `precondition-failed` when changes from `next` on are gone, `limit-reached`. */
  async *watch(
    watched: WatchedReplica,
    range: KeyRange,
    from: Slot,
    signal: AbortSignal,
  ): AsyncGenerator<KvWatchFrame, void, void> {
    if (this.#open >= watchersMax) {
      throw new FailureError(
        fail('limit-reached', `${watchersMax} watches are open on this machine.`, 'Close some of them.').failure,
      );
    }
    this.#open += 1;
    const wake = new Wake(watched.replica, signal);
    try {
      yield* follow(watched, range, from, signal, wake);
    } finally {
      wake.stop();
      this.#open -= 1;
    }
  }
}

async function* follow(
  { replica, nameOf }: WatchedReplica,
  range: KeyRange,
  from: Slot,
  signal: AbortSignal,
  wake: Wake,
): AsyncGenerator<KvWatchFrame, void, void> {
  let next = from;
  let quiet = quietChangesMax;
  while (!signal.aborted) {
    wake.reset();
    const { kv } = replica.state();
    const changes = kv.changesFrom(next, changesPerFrame);
    if (changes === null) throw new FailureError(compacted(next, kv.oldestRevision));
    const last = changes.at(-1);
    // Asked for a later revision than there is: everything before it is of no interest.
    const through = last === undefined ? slot(Math.max(next - 1, replica.status().applied)) : revisionOf(last);
    next = slot(Math.max(next, through + 1));
    const wanted = changes.filter((change) => isWithin(range, keyOf(change)));
    quiet += changes.length;
    if (wanted.length > 0 || quiet >= quietChangesMax) {
      quiet = 0;
      yield { through: next - 1, changes: wanted.map((change) => changeView(nameOf, change)) };
    }
    if (changes.length === 0) await wake.whenChanged();
  }
}

/** Notes that something changed, also while nobody waits for it. */
class Wake {
  readonly #unsubscribe: () => void;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#wake();
  #changed = false;
  #resolve: (() => void) | null = null;

  constructor(replica: Replica, signal: AbortSignal) {
    this.#signal = signal;
    this.#unsubscribe = replica.onEvent((event) => {
      if (isOfInterest(event)) this.#wake();
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  reset(): void {
    this.#changed = false;
  }

  async whenChanged(): Promise<void> {
    if (!this.#changed && !this.#signal.aborted) await new Promise<void>((resolve) => (this.#resolve = resolve));
  }

  stop(): void {
    this.#unsubscribe();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #wake(): void {
    this.#changed = true;
    this.#resolve?.();
  }
}

const isOfInterest = (event: NodeEvent): boolean =>
  event.type === 'state-replaced' ||
  (event.type === 'applied' && event.events.some((change) => change.type === 'kv-changed'));

const compacted = (wanted: Slot, oldest: Slot) =>
  fail(
    'precondition-failed',
    `Changes from revision ${wanted} on are no longer all kept: ${oldest} is the oldest revision to watch from.`,
    `Read the range again, then watch from the revision after that reading (${oldest} or later).`,
  ).failure;
