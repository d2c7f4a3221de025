import { slot } from '../../../shared/domain/ids.ts';
import type { Slot } from '../../../shared/domain/ids.ts';
import { kvChangesBytesMax, kvChangesKeptMax } from '../machine/limits.ts';
import { utf8Bytes } from '../machine/utf8-bytes.ts';
import { keyOf, revisionOf } from './records.ts';
import type { KvChange } from './records.ts';

/** Gone entries at the front are cut off when there are this many: then a cut costs little per change. */
const goneMax = 1_000;

const bytesOf = (change: KvChange): number =>
  utf8Bytes(keyOf(change)) + (change.type === 'put' ? utf8Bytes(change.entry.value) : 0);

/**
 * The latest changes in the order of the log, replicated like everything else so that a watcher may go on at any
 * machine. A revision is kept whole or not at all.
 */
export class ChangeHistory {
  #changes: KvChange[] = [];
  /** Where the kept changes begin; what is before it is only not cut off yet. */
  #start = 0;
  #bytes = 0;
  #compactedThrough: Slot = slot(0);

  /** The smallest revision from which nothing is missing. */
  get oldest(): Slot {
    return slot(this.#compactedThrough + 1);
  }

  get size(): number {
    return this.#changes.length - this.#start;
  }

  /** UTF-8 bytes of the kept changes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The kept changes by position, up to but without `to`. */
  page(from: number, to: number): readonly KvChange[] {
    return this.#changes.slice(this.#start + from, this.#start + to);
  }

  /** All of one revision at once, revisions in growing order. */
  add(changes: readonly KvChange[]): void {
    for (const change of changes) {
      this.#changes.push(change);
      this.#bytes += bytesOf(change);
    }
    while (this.#changes.length - this.#start > kvChangesKeptMax || this.#bytes > kvChangesBytesMax) {
      if (!this.#dropOldestRevision()) break;
    }
    if (this.#start > goneMax) this.#cut();
  }

  /** Up to about `limit` changes from `revision` on, revisions whole; null when some of them are gone. */
  from(revision: Slot, limit: number): readonly KvChange[] | null {
    if (revision <= this.#compactedThrough) return null;
    const found: KvChange[] = [];
    for (let at = this.#firstFrom(revision); at < this.#changes.length; at++) {
      const change = this.#changes[at];
      if (change === undefined) break;
      const last = found.at(-1);
      if (found.length >= limit && last !== undefined && revisionOf(last) !== revisionOf(change)) break;
      found.push(change);
    }
    return found;
  }

  toSnapshot(): { readonly compactedThrough: Slot; readonly changes: readonly KvChange[] } {
    return { compactedThrough: this.#compactedThrough, changes: this.#changes.slice(this.#start) };
  }

  static restore(snapshot: ReturnType<ChangeHistory['toSnapshot']>): ChangeHistory {
    const history = new ChangeHistory();
    history.#compactedThrough = snapshot.compactedThrough;
    history.#changes = [...snapshot.changes];
    for (const change of snapshot.changes) history.#bytes += bytesOf(change);
    return history;
  }

  /** False for the only revision left: it stays, however large. */
  #dropOldestRevision(): boolean {
    const first = this.#changes[this.#start];
    const last = this.#changes.at(-1);
    if (first === undefined || last === undefined || revisionOf(first) === revisionOf(last)) return false;
    this.#compactedThrough = revisionOf(first);
    for (;;) {
      const change = this.#changes[this.#start];
      if (change === undefined || revisionOf(change) !== this.#compactedThrough) return true;
      this.#bytes -= bytesOf(change);
      this.#start += 1;
    }
  }

  #cut(): void {
    this.#changes = this.#changes.slice(this.#start);
    this.#start = 0;
  }

  #firstFrom(revision: Slot): number {
    let low = this.#start;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const change = this.#changes[middle];
      if (change !== undefined && revisionOf(change) < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
