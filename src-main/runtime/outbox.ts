import { assertNever } from '../../shared/assert.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { Effect } from '../core/machine/effect.ts';
import type { NodeEvent, NodeFact, NodeMessage, NodeTimer } from '../core/node/messages.ts';
import type { Snapshot } from '../core/paxos/facts.ts';
import type { Journal } from '../ports/journal.ts';
import { encodeFact, encodeSnapshotParts } from '../wire/facts.ts';

export type NodeEffect = Effect<NodeId, NodeMessage, NodeFact, NodeEvent, NodeTimer>;

export interface OutboxOptions {
  readonly self: NodeId;
  readonly journal: Journal;
  /** What the journal must hold beside the latest snapshot, as of now. */
  readonly durableFacts: () => readonly NodeFact[];
  /** All that is due to one peer, in order; called once per peer and drain. */
  readonly sendAll: (to: NodeId, messages: readonly NodeMessage[]) => void;
  readonly sendToSelf: (message: NodeMessage) => void;
  readonly emit: (event: NodeEvent) => void;
  readonly setTimer: (timer: NodeTimer, afterMs: number) => void;
  readonly cancelTimer: (timer: NodeTimer) => void;
  /** Something that waited may go now; called by the journal, outside any step. */
  readonly wake: () => void;
  /** The journal takes no more: nothing leaves this node from here on. */
  readonly onFailure: (failure: Failure) => void;
}

type Waiting =
  | { readonly type: 'barrier'; readonly number: number }
  | { readonly type: 'send'; readonly to: NodeId; readonly message: NodeMessage }
  | { readonly type: 'emit'; readonly event: NodeEvent };

/** Effects held back by a slow disk before the driver lets frames from outside go unheard; a lost frame is harmless. */
export const outboxWaitingMax = 65_536;

/**
 * Carries out effects in the order of the steps. What stands behind a `persist` waits until its facts are on disk.
 * Facts of all steps while one flush is in flight share the next (group commit). A crash loses the queue,
 * which looks to everyone else like a crash a moment earlier.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #waiting: Waiting[] = [];
  #next = 0;
  /** Records in the order of their facts, not yet handed to the journal. */
  #records: Uint8Array[] = [];
  #recordsNeedSync = false;
  #flushing = false;
  /** Barriers are numbered; those up to here have their facts on disk. */
  #lastBarrier = 0;
  #durableBarrier = 0;
  #failed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Effects that wait for the disk. */
  get waitingCount(): number {
    return this.#waiting.length - this.#next;
  }

  /** Queues the effects of one step. Timers are set at once: they wait for nothing and promise nothing. */
  take(effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'persist':
          this.#record(effect.facts);
          this.#recordsNeedSync = true;
          this.#waiting.push({ type: 'barrier', number: ++this.#lastBarrier });
          break;
        case 'record':
          this.#record(effect.facts);
          break;
        case 'emit':
          // A snapshot that stands for entries must be on disk before anyone hears that this node has them.
          if (effect.event.type === 'snapshot-taken') this.#replaceHead(effect.event.snapshot);
          this.#waiting.push(effect);
          break;
        case 'send':
          this.#waiting.push(effect);
          break;
        case 'set-timer':
          this.#options.setTimer(effect.timer, effect.afterMs);
          break;
        case 'cancel-timer':
          this.#options.cancelTimer(effect.timer);
          break;
        default:
          assertNever(effect);
      }
    }
  }

  /** Hands collected facts to the journal, unless a flush is in flight: then they join the next. */
  flush(): void {
    if (this.#flushing || this.#failed || this.#records.length === 0) return;
    this.#append();
  }

  /** Lets everything go whose facts are on disk. */
  drain(): void {
    if (this.#failed) return;
    const sends = new Map<NodeId, NodeMessage[]>();
    while (this.#next < this.#waiting.length) {
      const first = this.#waiting[this.#next];
      if (first === undefined || (first.type === 'barrier' && first.number > this.#durableBarrier)) break;
      this.#next += 1;
      if (first.type === 'emit') this.#options.emit(first.event);
      else if (first.type === 'send') this.#collect(sends, first.to, first.message);
    }
    this.#compact();
    for (const [to, messages] of sends) this.#options.sendAll(to, messages);
  }

  #collect(sends: Map<NodeId, NodeMessage[]>, to: NodeId, message: NodeMessage): void {
    if (to === this.#options.self) {
      this.#options.sendToSelf(message);
      return;
    }
    const known = sends.get(to);
    if (known === undefined) sends.set(to, [message]);
    else known.push(message);
  }

  /** Forgets what has gone; copying only now and then keeps taking from the front cheap. */
  #compact(): void {
    if (this.#next === this.#waiting.length) this.#waiting = [];
    else if (this.#next < 1_024) return;
    else this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }

  #record(facts: readonly NodeFact[]): void {
    for (const fact of facts) this.#records.push(...encodeFact(fact));
  }

  #append(): void {
    const records = this.#records;
    const sync = this.#recordsNeedSync;
    const barrier = this.#lastBarrier;
    this.#records = [];
    this.#recordsNeedSync = false;
    if (sync) this.#flushing = true;
    this.#options.journal.append(records, { sync }, (failure) => {
      if (sync) this.#flushing = false;
      this.#onJournal(failure, sync ? barrier : 0);
    });
  }

  /** Everything before it goes to the journal first: recovery must never find an older vote behind a newer one. */
  #replaceHead(snapshot: Snapshot): void {
    if (this.#failed) return;
    if (this.#records.length > 0) this.#append();
    const barrier = ++this.#lastBarrier;
    this.#waiting.push({ type: 'barrier', number: barrier });
    this.#options.journal.replaceHead(headOf(snapshot, this.#options.durableFacts()), (failure) =>
      this.#onJournal(failure, barrier),
    );
  }

  #onJournal(failure: Failure | undefined, barrier: number): void {
    if (this.#failed) return;
    if (failure !== undefined) {
      this.#failed = true;
      this.#waiting = [];
      this.#next = 0;
      this.#options.onFailure(failure);
      return;
    }
    this.#durableBarrier = Math.max(this.#durableBarrier, barrier);
    this.#options.wake();
  }
}

/** Encoded part by part as the journal asks: a large snapshot at once would keep heartbeats waiting. */
const headOf = (snapshot: Snapshot, facts: readonly NodeFact[]): Iterable<Uint8Array> => ({
  *[Symbol.iterator]() {
    yield* encodeSnapshotParts(snapshot);
    for (const fact of facts) yield* encodeFact(fact);
  },
});
