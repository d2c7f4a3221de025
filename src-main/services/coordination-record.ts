import type { NodeId, Slot } from '../../shared/domain/ids.ts';
import type { Divergence } from '../core/node/checkpoints.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import { showBallot, type Ballot } from '../core/paxos/ballot.ts';
import type { CommandResult, Request } from '../core/state-machine/command.ts';
import type { Clock } from '../ports/clock.ts';
import { divergenceReason, divergenceText } from './divergence-words.ts';

const eventsKept = 100;
/** Whole commands are kept, and one may take 64 KiB: what is shown of the log stays a few screens long. */
export const entriesKept = 200;

export interface CoordinationEvent {
  readonly id: number;
  readonly at: number;
  readonly kind: 'coordinator' | 'silence' | 'voters' | 'snapshot' | 'divergence' | 'halted';
  readonly node: NodeId | null;
  readonly ballot: string;
  readonly text: string;
  readonly reason: string;
  /** How long nobody was heard before this, in milliseconds. */
  readonly silentMs: number | null;
}

/** An entry of the log as it took effect here. */
export interface AppliedEntry {
  readonly slot: Slot;
  readonly at: number;
  readonly request: Request | null;
  readonly result: CommandResult;
}

/**
 * What this machine has seen of coordination since it started: who coordinated and why, which voters, and the end of
 * the log. Kept in memory and bounded; the log is the record, this is for people.
 */
export class CoordinationRecord {
  readonly #clock: Clock;
  readonly #name: (node: NodeId) => string;
  #events: CoordinationEvent[] = [];
  readonly #entries: AppliedEntry[] = [];
  /** The latest of each machine. */
  readonly #divergences = new Map<NodeId, Divergence>();
  #next = 0;
  #nextId = 1;
  #silentSince: number | null;
  #coordinator: NodeId | null = null;
  #ballot: Ballot | null = null;
  #snapshot: { readonly slot: number; readonly at: number | null } | null;

  /** `snapshotSlot`: where the log began when this machine started; null for the whole log. */
  constructor(clock: Clock, name: (node: NodeId) => string, snapshotSlot: number | null) {
    this.#clock = clock;
    this.#name = name;
    this.#silentSince = clock.now();
    // A founder's first snapshot is the empty state before the log: it stands for no entry.
    this.#snapshot = snapshotSlot === null || snapshotSlot === 0 ? null : { slot: snapshotSlot, at: null };
  }

  /** Newest first. */
  events(): readonly CoordinationEvent[] {
    return this.#events;
  }

  /** Newest first. */
  entries(limit: number): readonly AppliedEntry[] {
    const count = Math.min(limit, this.#entries.length);
    return Array.from({ length: count }, (_, back) => {
      const at = (this.#next - 1 - back + this.#entries.length) % this.#entries.length;
      return this.#entries[at];
    }).filter((entry): entry is AppliedEntry => entry !== undefined);
  }

  /** Machines that were found to have something else than others, each as it was found last. */
  divergences(): readonly Divergence[] {
    return [...this.#divergences.values()];
  }

  /** The latest snapshot that stands for the log here; `at` null when it is older than this run. */
  get snapshot(): { readonly slot: number; readonly at: number | null } | null {
    return this.#snapshot;
  }

  /** The ballot of the latest coordinator heard; null before the first one. */
  get lastBallot(): Ballot | null {
    return this.#ballot;
  }

  halted(reason: string): void {
    this.#note('halted', { text: 'This machine stopped taking part', reason });
  }

  heard(event: NodeEvent): void {
    switch (event.type) {
      case 'applied':
        this.#entries[this.#next] = {
          slot: event.slot,
          at: this.#clock.wall(),
          request: event.request,
          result: event.result,
        };
        this.#next = (this.#next + 1) % entriesKept;
        return;
      case 'coordinator-changed':
        this.#coordinatorChanged(event.coordinator, event.ballot, event.reason);
        return;
      case 'config-changed': {
        const { voters, id, firstSlot } = event.config;
        const names = voters.map((voter) => this.#name(voter.node)).join(', ');
        this.#note('voters', {
          text: `Voters: ${names}`,
          reason: `configuration ${id}, from slot ${firstSlot} on`,
        });
        return;
      }
      case 'snapshot-taken':
        this.#snapshot = { slot: event.snapshot.slot, at: this.#clock.wall() };
        this.#note('snapshot', { text: `Snapshot up to slot ${event.snapshot.slot}`, reason: 'taken here' });
        return;
      case 'state-replaced':
        this.#snapshot = { slot: event.slot, at: this.#clock.wall() };
        this.#note('snapshot', {
          text: `Snapshot up to slot ${event.slot}`,
          reason: 'taken over from another machine',
        });
        return;
      case 'diverged':
        this.#divergences.set(event.divergence.node, event.divergence);
        this.#note('divergence', {
          node: event.divergence.node,
          text: divergenceText(event.divergence, this.#name),
          reason: divergenceReason(event.divergence),
        });
        return;
      case 'outdated':
      case 'role-changed':
      case 'request-answered':
      case 'request-refused':
      case 'read-ready':
      case 'read-failed':
        return;
    }
  }

  #coordinatorChanged(node: NodeId | null, ballot: Ballot | null, reason: string): void {
    const now = this.#clock.now();
    if (node === null) {
      const before = this.#coordinator;
      this.#silentSince ??= now;
      this.#coordinator = null;
      const text = before === null ? 'Nobody coordinates' : `${this.#name(before)} is no longer heard as coordinator`;
      this.#note('silence', { node: before, text, reason });
      return;
    }
    const silentMs = this.#silentSince === null ? null : now - this.#silentSince;
    this.#silentSince = null;
    this.#coordinator = node;
    this.#ballot = ballot ?? this.#ballot;
    this.#note('coordinator', {
      node,
      ballot: ballot === null ? '' : showBallot(ballot),
      text: `${this.#name(node)} coordinates`,
      reason,
      silentMs,
    });
  }

  #note(
    kind: CoordinationEvent['kind'],
    said: Pick<CoordinationEvent, 'text' | 'reason'> & Partial<Pick<CoordinationEvent, 'node' | 'ballot' | 'silentMs'>>,
  ): void {
    this.#events = [
      { id: this.#nextId++, at: this.#clock.wall(), kind, node: null, ballot: '', silentMs: null, ...said },
      ...this.#events.slice(0, eventsKept - 1),
    ];
  }
}
