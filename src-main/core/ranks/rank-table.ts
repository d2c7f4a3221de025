import { compareText, type NodeId, type WallTime } from '../../../shared/domain/ids.ts';
import { membersMax } from '../machine/limits.ts';

/** What an owner may ask of a machine: to coordinate whenever it can, or not unless nobody else is there. */
export const rankPins = ['home-base', 'never', 'none'] as const;
export type RankPin = (typeof rankPins)[number];

/** Bands are 0 to 4; a machine of which nothing is known is in the middle one. */
export const topBand = 4;
const middleBand = 2;

/** Ranks of neighbouring bands are this far apart; the middle band is the rank that seats begin with. */
export const rankPerBand = 50;

/** A machine moves by one band at most, and then not again for this long. */
export const bandMovePauseMs = 24 * 3_600_000;

export interface RankMove {
  readonly node: NodeId;
  readonly band: number;
}

export interface RankRecord {
  readonly node: NodeId;
  /** From evidence. */
  readonly band: number;
  /** What the owner asks for; it comes before the evidence. */
  readonly pin: RankPin;
  /** When the band last moved, by the clock of who proposed it. */
  readonly movedAt: WallTime | null;
}

/**
 * How much each machine is wanted as coordinator. It is replicated, not a machine's own word, and changes slowly: a
 * rank that changed between two messages of an election could make two machines each believe they outrank the other.
 */
export class RankTable {
  readonly #records = new Map<NodeId, RankRecord>();
  #version = 0;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  bandOf(node: NodeId): number {
    return this.#records.get(node)?.band ?? middleBand;
  }

  pinOf(node: NodeId): RankPin {
    return this.#records.get(node)?.pin ?? 'none';
  }

  /** Null for a machine that nothing was decided about. */
  rankOf(node: NodeId): number | null {
    const record = this.#records.get(node);
    if (record === undefined) return null;
    if (record.pin === 'never') return 0;
    return rankPerBand * (record.pin === 'home-base' ? topBand : record.band);
  }

  /** Whether the band may move so at this time. */
  mayMove({ node, band }: RankMove, at: WallTime): boolean {
    const known = this.#records.get(node);
    if (!Number.isInteger(band) || band < 0 || band > topBand || !this.#hasRoomFor(node)) return false;
    const movedAt = known?.movedAt ?? null;
    const rested = movedAt === null || Math.abs(at - movedAt) >= bandMovePauseMs;
    return rested && Math.abs(band - this.bandOf(node)) === 1;
  }

  /** Moves those that may move. Answers which did. */
  move(moves: readonly RankMove[], at: WallTime): readonly RankMove[] {
    const moved: RankMove[] = [];
    for (const move of moves) {
      if (!this.mayMove(move, at)) continue;
      this.#set({ node: move.node, band: move.band, pin: this.pinOf(move.node), movedAt: at });
      moved.push(move);
    }
    return moved;
  }

  /** False when no more machines can be remembered. */
  pin(node: NodeId, pin: RankPin): boolean {
    if (!this.#hasRoomFor(node)) return false;
    const movedAt = this.#records.get(node)?.movedAt ?? null;
    this.#set({ node, band: this.bandOf(node), pin, movedAt });
    return true;
  }

  #hasRoomFor(node: NodeId): boolean {
    return this.#records.has(node) || this.#records.size < membersMax;
  }

  #set(record: RankRecord): void {
    this.#records.set(record.node, record);
    this.#version += 1;
  }

  toSnapshot(): readonly RankRecord[] {
    return [...this.#records.values()].sort((left, right) => compareText(left.node, right.node));
  }

  static restore(records: readonly RankRecord[]): RankTable {
    const table = new RankTable();
    for (const record of records) table.#set(record);
    return table;
  }
}

/** Voters with the rank that the log gives them; their seat's own where it gives none. */
export const ranked = <Seat extends { readonly node: NodeId; readonly rank: number }>(
  seats: readonly Seat[],
  ranks: RankTable,
): readonly Seat[] => seats.map((seat) => ({ ...seat, rank: ranks.rankOf(seat.node) ?? seat.rank }));
