import type { Request, CommandResult, LoggedRequest } from '../state-machine/command.ts';
import type { Snapshot } from '../paxos/facts.ts';
import type { Chosen } from '../paxos/slot-log.ts';
import { apply } from '../state-machine/apply.ts';
import type { StateEvent } from '../state-machine/events.ts';
import { restoreSnapshot, takeSnapshot } from '../state-machine/snapshot.ts';
import { createState, type SwarmState } from '../state-machine/state.ts';

export interface AppliedEntry {
  /** Null for barriers, stop-signs and no-ops. */
  readonly request: Request | null;
  readonly result: CommandResult;
  readonly events: readonly StateEvent[];
}

const nothing: AppliedEntry = { request: null, result: { type: 'done' }, events: [] };

/** The state machine behind the log: it moves by chosen entries in slot order, or jumps to a snapshot. */
export class ReplicatedState {
  #state: SwarmState = createState();

  get state(): SwarmState {
    return this.#state;
  }

  apply({ slot, entry }: Chosen<LoggedRequest>): AppliedEntry {
    if (entry.type !== 'payload') return nothing;
    const { result, events } = apply(this.#state, slot, entry.payload);
    return { request: entry.payload.request, result, events };
  }

  /** @throws Error for a text of another version; a damaged one cannot pass the checksum before it. */
  restore(snapshot: Snapshot): void {
    const restored = restoreSnapshot(snapshot.state);
    if (!restored.ok) throw new Error(`snapshot at slot ${snapshot.slot} cannot be read: ${restored.failure.message}`);
    this.#state = restored.value;
  }

  toText(): string {
    return takeSnapshot(this.#state);
  }
}
