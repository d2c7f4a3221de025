import { bytesPerSnapshot, entriesPerSnapshot } from '../machine/limits.ts';
import { prepareRows } from '../state-machine/snapshot-rows.ts';
import type { Outdated } from './level-gate.ts';
import { weigh } from './options.ts';
import type { Request, CommandResult, LoggedRequest } from '../state-machine/command.ts';
import type { Snapshot } from '../paxos/facts.ts';
import type { Chosen } from '../paxos/slot-log.ts';
import { apply } from '../state-machine/apply.ts';
import type { StateEvent } from '../state-machine/events.ts';
import { restoreSnapshot, snapshotLevel, takeSnapshot } from '../state-machine/snapshot.ts';
import { createState, type SwarmState } from '../state-machine/state.ts';

export interface AppliedEntry {
  /** Null for barriers, stop-signs and no-ops. */
  readonly request: Request | null;
  readonly result: CommandResult;
  readonly events: readonly StateEvent[];
}

/** Blocks of tasks whose text is worked out at a time: a few milliseconds. */
const blocksPerPreparation = 8;

const nothing: AppliedEntry = { request: null, result: { type: 'done' }, events: [] };

/** The state machine behind the log: it moves by chosen entries in slot order, or jumps to a snapshot. */
export class ReplicatedState {
  readonly #supports: number;
  #state: SwarmState = createState();
  #outdated: Outdated | null = null;
  /** Since the last snapshot. */
  #entries = 0;
  #weight = 0;
  /** Characters of the last snapshot. */
  #snapshotChars = 0;

  /** `supports`: the highest feature level that this program understands. */
  constructor(supports: number) {
    this.#supports = supports;
  }

  /** The log has come to a feature level above what this program understands: it must apply no further. */
  get outdated(): Outdated | null {
    return this.#outdated;
  }

  /** The swarm has this feature level, by the word of its coordinator, however far the own log is. */
  noteLevel(level: number): void {
    if (level > this.#supports) this.#outdated ??= { level, supports: this.#supports };
  }

  get state(): SwarmState {
    return this.#state;
  }

  apply({ slot, entry }: Chosen<LoggedRequest>): AppliedEntry {
    this.#entries += 1;
    if (entry.type !== 'payload') return nothing;
    this.#weight += weigh(entry.payload);
    const { result, events } = apply(this.#state, slot, entry.payload);
    this.noteLevel(this.#state.levels.level);
    return { request: entry.payload.request, result, events };
  }

  /**
   * A snapshot of a newer program changes nothing, but that this one is `outdated`.
   * @throws Error for a damaged text, which cannot pass the checksum before it.
   */
  restore(snapshot: Snapshot): void {
    const restored = restoreSnapshot(snapshot.state, this.#supports);
    if (!restored.ok && restored.failure.code === 'unsupported-version') {
      this.#outdated = { level: snapshotLevel(snapshot.state), supports: this.#supports };
      return;
    }
    if (!restored.ok) throw new Error(`snapshot at slot ${snapshot.slot} cannot be read: ${restored.failure.message}`);
    this.#state = restored.value;
    this.#noteSnapshot(snapshot.state);
  }

  /**
   * Whether a snapshot should stand for the entries since the last one. A large state waits for more of them, so that
   * what is written for snapshots stays within a few times of what is written for entries.
   */
  get snapshotDue(): boolean {
    const heavy = this.#weight >= Math.max(bytesPerSnapshot, this.#snapshotChars);
    return heavy || (this.#entries >= entriesPerSnapshot && this.#weight >= this.#snapshotChars / 4);
  }

  toText(): string {
    const text = takeSnapshot(this.#state);
    this.#noteSnapshot(text);
    return text;
  }

  /** Does a little of the next snapshot's work ahead of it. */
  prepareSnapshot(): void {
    prepareRows(this.#state.tasks.records(), blocksPerPreparation);
  }

  #noteSnapshot(text: string): void {
    this.#entries = 0;
    this.#weight = 0;
    this.#snapshotChars = text.length;
  }
}
