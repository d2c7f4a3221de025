import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';

interface Presence {
  /** How far it has the log on its disk. */
  readonly committed: Slot;
  /** Of its state directory: a machine that comes back with another one begins anew. */
  readonly incarnation: string;
  /** Since when it has answered without a gap. */
  readonly since: Instant;
  readonly heardAt: Instant;
  readonly connected: boolean;
}

export interface Heard {
  readonly node: NodeId;
  readonly committed: Slot;
  readonly incarnation: string;
  readonly steadyMs: number;
}

/**
 * Who answers this coordinator, since when, and how far each has the log. It is the coordinator's own observation
 * and starts empty with its office, so a machine counts as steady later, and as absent later, than it truly was.
 */
export class Attendance {
  readonly #gapMs: number;
  readonly #presences = new Map<NodeId, Presence>();
  #began: Instant | null = null;

  /** A machine that is silent for longer than `gapMs` begins its attendance anew. */
  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  begin(now: Instant): void {
    this.#presences.clear();
    this.#began = now;
  }

  /** Answers whether the machine is back from a gap of this office. */
  note(now: Instant, node: NodeId, answer: { readonly committed: Slot; readonly incarnation: string }): boolean {
    const { committed, incarnation } = answer;
    const known = this.#presences.get(node);
    const steady = known !== undefined && this.#isHeard(now, known) && known.incarnation === incarnation;
    const since = steady ? known.since : now;
    this.#presences.set(node, { committed, incarnation, since, heardAt: now, connected: true });
    return known !== undefined && !steady;
  }

  /** Its connection closed, which is a gap whenever it answers next. */
  forget(node: NodeId): void {
    const known = this.#presences.get(node);
    if (known !== undefined) this.#presences.set(node, { ...known, connected: false });
  }

  /** Milliseconds from its first answer to its latest, without a gap; null for a machine that is not heard now. */
  steadyMs(now: Instant, node: NodeId): number | null {
    const known = this.#presences.get(node);
    return known !== undefined && this.#isHeard(now, known) ? steadyMs(known) : null;
  }

  /** Milliseconds without an answer, counted from the beginning of this office at the earliest; 0 while it is heard. */
  absentMs(now: Instant, node: NodeId): number {
    if (this.steadyMs(now, node) !== null) return 0;
    return now - (this.#presences.get(node)?.heardAt ?? this.#began ?? now);
  }

  /** The machines that are heard now. */
  heard(now: Instant): readonly Heard[] {
    return [...this.#presences]
      .filter(([, presence]) => this.#isHeard(now, presence))
      .map(([node, presence]) => ({
        node,
        committed: presence.committed,
        incarnation: presence.incarnation,
        steadyMs: steadyMs(presence),
      }));
  }

  /** How far each machine that is connected has the log. */
  get progress(): ReadonlyMap<NodeId, Slot> {
    const connected = [...this.#presences].filter(([, presence]) => presence.connected);
    return new Map(connected.map(([node, { committed }]) => [node, committed]));
  }

  #isHeard(now: Instant, presence: Presence): boolean {
    return presence.connected && now - presence.heardAt <= this.#gapMs;
  }
}

/** Not until now: a machine that answered once and fell asleep would settle while it is only not yet missed. */
const steadyMs = ({ since, heardAt }: Presence): number => heardAt - since;
