import type { NodeId, SessionId } from '../../../shared/domain/ids.ts';
import { compareText } from '../../../shared/domain/ids.ts';
import type { AcceptPolicy } from '../../../shared/domain/member.ts';
import { MinHeap } from './min-heap.ts';

/** A machine with an open session, and what it offers. */
export interface Worker {
  readonly session: SessionId;
  readonly node: NodeId;
  readonly name: string;
  readonly slots: number;
  /** A hint: the owner's policy decides at the start. */
  readonly accepts: AcceptPolicy;
}

/** A machine while one placement fills it. */
export interface Seat {
  readonly worker: Worker;
  /** Its place in the round, which is the order of node ids. */
  readonly order: number;
  used: number;
  /** How busy others than us keep it, as far as that can be told. */
  readonly foreignLoad: number;
}

/** The machines one job may use, indexed for its policy. Both kinds drop a full machine when they meet it. */
export interface Chooser {
  /** A machine with room that is not avoided, or null. Machines only fill up while a chooser lives. */
  choose(avoided: ReadonlySet<NodeId>, roundRobinFrom: number): Seat | null;
  /** No machine has room, avoided or not. */
  isExhausted(): boolean;
}

export function seatsOf(
  workers: readonly Worker[],
  slotsUsed: (session: SessionId) => number,
  loadOf: (node: NodeId) => number | null,
): readonly Seat[] {
  return [...workers]
    .sort((left, right) => compareText(left.node, right.node))
    .map((worker, order) => {
      const used = slotsUsed(worker.session);
      const ours = worker.slots === 0 ? 1 : used / worker.slots;
      return { worker, order, used, foreignLoad: Math.max(0, (loadOf(worker.node) ?? 0) - ours) };
    });
}

export const freeSlots = ({ worker, used }: Seat): number => Math.max(0, worker.slots - used);

/** The share of a machine that is taken: by its tasks and by whatever else keeps it busy. */
const busyness = ({ worker, used, foreignLoad }: Seat): number => used / worker.slots + foreignLoad;

interface Ranked {
  readonly seat: Seat;
  readonly busyness: number;
}

/**
 * The least busy machine first. A machine only gets busier while it stands here, so an entry that is out of date
 * stands too far in front and is put right when it comes out: no other entry needs a look.
 */
export class LeastBusyFirst implements Chooser {
  readonly #slots: number;
  readonly #ranked = new MinHeap<Ranked>(
    (left, right) => left.busyness - right.busyness || left.seat.order - right.seat.order,
  );

  constructor(seats: readonly Seat[], slots: number) {
    this.#slots = slots;
    for (const seat of seats) this.#ranked.push({ seat, busyness: busyness(seat) });
  }

  choose(avoided: ReadonlySet<NodeId>): Seat | null {
    const passedOver: Ranked[] = [];
    let chosen: Seat | null = null;
    while (chosen === null && this.#settleFirst()) {
      const first = this.#ranked.peek();
      if (first === null) break;
      if (!avoided.has(first.seat.worker.node)) chosen = first.seat;
      else {
        passedOver.push(first);
        this.#ranked.pop();
      }
    }
    for (const ranked of passedOver) this.#ranked.push(ranked);
    return chosen;
  }

  isExhausted(): boolean {
    return !this.#settleFirst();
  }

  /** Makes the first entry one that is up to date and has room; false when there is none. */
  #settleFirst(): boolean {
    for (let first = this.#ranked.peek(); first !== null; first = this.#ranked.peek()) {
      const fits = freeSlots(first.seat) >= this.#slots;
      const now = busyness(first.seat);
      if (fits && now === first.busyness) return true;
      this.#ranked.pop();
      if (fits) this.#ranked.push({ seat: first.seat, busyness: now });
    }
    return false;
  }
}

/** The next machine after the last one used, in the order of node ids. */
export class InTurn implements Chooser {
  readonly #slots: number;
  readonly #seats: Seat[];

  constructor(seats: readonly Seat[], slots: number) {
    this.#slots = slots;
    this.#seats = [...seats];
  }

  choose(avoided: ReadonlySet<NodeId>, roundRobinFrom: number): Seat | null {
    let at = this.#firstFrom(roundRobinFrom);
    for (let left = this.#seats.length; left > 0; left--) {
      if (at >= this.#seats.length) at = 0;
      const seat = this.#seats[at];
      if (seat === undefined) return null;
      if (freeSlots(seat) < this.#slots) this.#seats.splice(at, 1);
      else if (avoided.has(seat.worker.node)) at += 1;
      else return seat;
    }
    return null;
  }

  isExhausted(): boolean {
    for (let last = this.#seats.at(-1); last !== undefined; last = this.#seats.at(-1)) {
      if (freeSlots(last) >= this.#slots) return false;
      this.#seats.pop();
    }
    return true;
  }

  #firstFrom(order: number): number {
    let [low, high] = [0, this.#seats.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seats[middle]?.order ?? order) < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
