import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { entriesPerMessageMax, snapshotChunkCharsMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import type { EffectList } from './effects.ts';
import type { Snapshot } from './facts.ts';
import type { Entry, PaxosMessage } from './messages.ts';
import type { Chosen, SlotLog } from './slot-log.ts';

type Of<Payload, Type extends PaxosMessage<Payload>['type']> = Extract<PaxosMessage<Payload>, { type: Type }>;

/** A request for entries is repeated, perhaps to someone else, when this has passed without an answer. */
const learnPatienceMs = 400;

/** Weight of one learn message, in the units of `weigh`. */
const learnWeightMax = 1_000_000;

/** Entries offered unasked when a configuration ends; whoever lags further asks. */
const pushedEntries = 8;

/** A snapshot may take up to this many characters; a larger claim is ignored. */
const snapshotCharsMax = 256 * 1_024 * 1_024;

/** Pulls chosen entries, or a snapshot where they are compacted, from any replica; and serves them. */
export class Learner<Payload> {
  readonly #log: SlotLog<Payload>;
  readonly #out: EffectList<Payload>;
  readonly #weigh: (payload: Payload) => number;
  #asked: { readonly peer: NodeId; readonly at: Instant } | null = null;
  #partial: { readonly slot: Slot; readonly totalChars: number; parts: string[]; chars: number } | null = null;

  /** `weigh` estimates the encoded bytes of a payload, so that no message outgrows a frame. */
  constructor(log: SlotLog<Payload>, out: EffectList<Payload>, weigh: (payload: Payload) => number) {
    this.#log = log;
    this.#out = out;
    this.#weigh = weigh;
  }

  /** `peer` has at least the entries up to `committed`: asks it for what is missing here, unless an answer is due. */
  noteAhead(now: Instant, peer: NodeId, committed: Slot): void {
    const nothingYet = this.#log.config === null;
    if (!nothingYet && committed <= this.#log.committed) return;
    if (this.#asked !== null && now - this.#asked.at < learnPatienceMs) return;
    this.#ask(now, peer);
  }

  /** Asks a peer for whatever it may have beyond this log, unless an answer is due. */
  pull(now: Instant, peer: NodeId): void {
    if (this.#asked === null || now - this.#asked.at >= learnPatienceMs) this.#ask(now, peer);
  }

  /** Offers the latest chosen entries unasked: to those who would otherwise not hear that a configuration has ended. */
  push(to: NodeId): void {
    const oldest = Math.max(this.#log.firstKept, this.#log.committed - pushedEntries + 1);
    this.#sendEntries(to, slot(oldest));
  }

  #ask(now: Instant, peer: NodeId): void {
    this.#asked = { peer, at: now };
    // Slot 0 says: I know not even a configuration; only a snapshot can help.
    const fromSlot = this.#log.config === null ? slot(0) : slot(this.#log.committed + 1);
    this.#out.send(peer, { type: 'learn-request', fromSlot });
  }

  onLearnRequest(from: NodeId, message: Of<Payload, 'learn-request'>): void {
    if (this.#log.config === null) return;
    if (!this.#log.canServeFrom(message.fromSlot)) return this.#sendSnapshotPart(from, null, 0);
    this.#sendEntries(from, message.fromSlot);
  }

  #sendEntries(to: NodeId, fromSlot: Slot): void {
    const entries: Entry<Payload>[] = [];
    let weight = 0;
    for (let at = fromSlot; at <= this.#log.committed; at = slot(at + 1)) {
      const entry = this.#log.chosenAt(at);
      if (entry === undefined || entries.length >= entriesPerMessageMax || weight > learnWeightMax) break;
      weight += entry.type === 'payload' ? this.#weigh(entry.payload) : 0;
      entries.push(entry);
    }
    const { committed } = this.#log;
    this.#out.send(to, { type: 'learn-reply', firstSlot: fromSlot, entries, committed });
  }

  /** Commits what follows the own prefix. Answers the newly chosen entries in order; their facts are persisted first. */
  onLearnReply(now: Instant, from: NodeId, message: Of<Payload, 'learn-reply'>): Chosen<Payload>[] {
    this.#asked = null;
    const skip = this.#log.committed + 1 - message.firstSlot;
    if (this.#log.config === null || skip < 0) {
      this.#ask(now, from);
      return [];
    }
    const entries = message.entries.slice(skip);
    if (entries.length > 0) {
      this.#out.persist({ type: 'learned', firstSlot: slot(this.#log.committed + 1), entries });
    }
    const chosen = entries.map((entry) => this.#log.commit(entry));
    if (chosen.length > 0 && message.committed > this.#log.committed) this.#ask(now, from);
    return chosen;
  }

  onSnapshotRequest(from: NodeId, message: Of<Payload, 'snapshot-request'>): void {
    this.#sendSnapshotPart(from, message.slot, message.offsetChars);
  }

  #sendSnapshotPart(to: NodeId, wanted: Slot | null, offsetChars: number): void {
    const snapshot = this.#log.snapshot;
    if (snapshot === null) return;
    // A newer snapshot has replaced the one being read: start again with that one.
    const offset = wanted === snapshot.slot ? Math.min(offsetChars, snapshot.state.length) : 0;
    this.#out.send(to, {
      type: 'snapshot-part',
      slot: snapshot.slot,
      config: snapshot.config,
      chain: snapshot.chain,
      offsetChars: offset,
      totalChars: snapshot.state.length,
      text: snapshot.state.slice(offset, offset + snapshotChunkCharsMax),
    });
  }

  /** Answers the whole snapshot once its last part is here and it is ahead of this log. */
  onSnapshotPart(now: Instant, from: NodeId, message: Of<Payload, 'snapshot-part'>): Snapshot | null {
    if (this.#log.config !== null && message.slot <= this.#log.committed) return null;
    if (message.totalChars > snapshotCharsMax) return null;
    let partial = this.#partial;
    if (message.offsetChars === 0) {
      partial = { slot: message.slot, totalChars: message.totalChars, parts: [], chars: 0 };
      this.#partial = partial;
    }
    const fits = partial?.slot === message.slot && partial.totalChars === message.totalChars;
    if (partial === null || !fits || partial.chars !== message.offsetChars) return null;
    partial.parts.push(message.text);
    partial.chars += message.text.length;
    this.#asked = { peer: from, at: now };
    if (partial.chars < partial.totalChars) {
      if (message.text === '') return null;
      this.#out.send(from, { type: 'snapshot-request', slot: partial.slot, offsetChars: partial.chars });
      return null;
    }
    this.#partial = null;
    this.#asked = null;
    return { slot: message.slot, config: message.config, state: partial.parts.join(''), chain: message.chain };
  }
}
