import type { SkeinClient } from '../../shared/contract/client.ts';
import { failureOf } from '../../shared/contract/client.ts';
import type { KvChange, KvEntry } from '../../shared/contract/kv.ts';
import type { Failure } from '../../shared/domain/failure.ts';

const pageSize = 200;
const changesKept = 50;
const retryMs = 1_000;

type Range = Awaited<ReturnType<SkeinClient['kv']['range']>>;

/** The keys that begin with a prefix, as they stand and as they change: read once, then followed from that slot on. */
export class KeyValues {
  entries = $state.raw<readonly KvEntry[]>([]);
  total = $state(0);
  next = $state<string | null>(null);
  provenance = $state.raw<Range['provenance'] | null>(null);
  /** What changed while somebody looked, newest first. */
  changes = $state.raw<readonly KvChange[]>([]);
  failure = $state.raw<Failure | null>(null);
  loaded = $state(false);
  #abort: AbortController | null = null;

  /** Reads and follows one prefix until `stop`. What was followed before ends. */
  async follow(client: SkeinClient, prefix: string): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.entries = this.changes = [];
    this.loaded = false;
    while (!abort.signal.aborted) {
      try {
        const through = await this.#read(client, prefix, abort.signal);
        const fromRevision = Math.max(1, through + 1);
        for await (const frame of await client.kv.watch({ prefix, fromRevision }, { signal: abort.signal }))
          this.#take(frame.changes);
      } catch (error) {
        if (abort.signal.aborted) return;
        this.failure = failureOf(error);
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** This machine's own copy, which is there without a majority too, and says how old it is. */
  async #read(client: SkeinClient, prefix: string, signal: AbortSignal): Promise<number> {
    const range = await client.kv.range({ prefix, limit: pageSize, stale: true }, { signal });
    this.entries = range.entries;
    this.total = range.total;
    this.next = range.next;
    this.provenance = range.provenance;
    this.failure = null;
    this.loaded = true;
    return range.provenance.slot;
  }

  #take(changes: readonly KvChange[]): void {
    if (changes.length === 0) return;
    let entries = this.entries;
    for (const change of changes) {
      const key = change.type === 'put' ? change.entry.key : change.key;
      const known = entries.some((entry) => entry.key === key);
      const others = entries.filter((entry) => entry.key !== key);
      entries = change.type === 'put' ? sorted([...others, change.entry]) : others;
      this.total += change.type === 'put' ? (known ? 0 : 1) : known ? -1 : 0;
    }
    this.entries = entries;
    this.changes = [...changes.toReversed(), ...this.changes].slice(0, changesKept);
  }
}

/** By code units, as the store orders them. */
const sorted = (entries: readonly KvEntry[]): readonly KvEntry[] =>
  entries.toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
