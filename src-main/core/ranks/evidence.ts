import type { NodeId, WallTime } from '../../../shared/domain/ids.ts';
import { instant, type Instant } from '../machine/time.ts';
import { topBand, type RankMove, type RankTable } from './rank-table.ts';

const hourMs = 3_600_000;

/** An hour counts for less the longer it is past: two weeks, so that week-ends do not decide. */
const memoryHours = 14 * 24;

/** So many hours of its own a machine has seen before it says anything. */
const hoursMin = 2;

/** And so many before it judges others: two hours after a start say little about a week. */
const judgingHours = 12;

/** Nobody but itself sees a machine whose vote is alone; before a day is over it may yet turn out to sleep at night. */
const aroundTheClockHours = 24;

/** A share must pass the border of a band by this much, so that a machine on it does not move to and fro. */
const margin = 0.03;

/** After a sleep connections may stand that have ended; by then they are known to have. */
const settleMs = 20_000;

const bands = topBand + 1;

interface Met {
  /** Hours in which it was there, older ones for less than one. */
  hours: number;
  /** The last of them, in hours of the calendar. */
  last: number;
}

/**
 * In which hours of the calendar each machine was there, as one machine saw it that was awake itself. Every machine keeps
 * its own, whoever coordinates; what it saw becomes rank when it coordinates. Clocks that are set wrong make it wrong for a
 * while, which costs time and never safety.
 */
export class Evidence {
  readonly #self: NodeId;
  readonly #met = new Map<NodeId, Met>();
  /** The present hour of the calendar. */
  #hour: number | null = null;
  /** Hours since it began to look, asleep or awake, older ones for less. */
  #passed = 0;
  #movedIn: number | null = null;
  #awakeSince: Instant | null = null;

  constructor(self: NodeId) {
    this.#self = self;
  }

  /** This machine slept: it looks again when its connections are those of the present. */
  woke(): void {
    this.#awakeSince = null;
  }

  /** Looks who is connected; to be called several times an hour. */
  look(now: Instant, wall: WallTime, connected: Iterable<NodeId>): void {
    this.#awakeSince ??= instant(now);
    if (now - this.#awakeSince < settleMs) return;
    const hour = Math.floor(wall / hourMs);
    if (hour !== this.#hour) this.#turn(hour);
    this.#note(this.#self, hour);
    for (const node of connected) this.#note(node, hour);
  }

  /** Hours in which this machine met another, or was awake itself; 0 before it has seen enough to tell. */
  hoursOf(node: NodeId): number {
    const own = this.#met.get(this.#self)?.hours ?? 0;
    return own < hoursMin ? 0 : (this.#met.get(node)?.hours ?? 0);
  }

  /** One band towards what was seen, for each machine that is clearly beyond its band; once an hour. */
  moves(ranks: RankTable, members: Iterable<NodeId>): readonly RankMove[] {
    if (this.#hour === null || this.#movedIn === this.#hour || this.hoursOf(this.#self) < judgingHours) return [];
    this.#movedIn = this.#hour;
    const moves: RankMove[] = [];
    for (const node of members) {
      const share = this.#shareOf(node);
      const band = ranks.bandOf(node);
      if (band < topBand && share >= (band + 1) / bands + margin) moves.push({ node, band: band + 1 });
      else if (band > 0 && share < band / bands - margin && node !== this.#self) moves.push({ node, band: band - 1 });
    }
    return moves;
  }

  /**
   * Of the hours in which this machine was awake, those in which the other one was too. Of itself it knows only whether
   * it is up around the clock.
   */
  #shareOf(node: NodeId): number {
    const own = this.hoursOf(this.#self);
    if (node !== this.#self) return this.hoursOf(node) / own;
    return this.#passed < aroundTheClockHours ? 0 : own / this.#passed;
  }

  #turn(hour: number): void {
    // A clock that is set back begins another hour all the same.
    const hours = this.#hour === null ? 1 : Math.max(1, hour - this.#hour);
    const kept = Math.exp(-hours / memoryHours);
    this.#passed = this.#passed * kept + Math.min(hours, memoryHours);
    for (const [node, met] of this.#met) {
      met.hours *= kept;
      // Not met for months: it may have left, and the next one needs the place.
      if (met.hours < 1 / memoryHours) this.#met.delete(node);
    }
    this.#hour = hour;
  }

  #note(node: NodeId, hour: number): void {
    const met = this.#met.get(node);
    if (met === undefined) this.#met.set(node, { hours: 1, last: hour });
    else if (met.last !== hour) {
      met.hours += 1;
      met.last = hour;
    }
  }
}
