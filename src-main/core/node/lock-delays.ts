import type { LockName, Slot } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import type { Command } from '../state-machine/command.ts';
import type { SwarmState } from '../state-machine/state.ts';

interface WatchedDelay {
  /** When this coordinator first saw it, or took office: it is counted from here, late rather than early. */
  readonly since: Instant;
  endProposedAt: Instant | null;
}

/** An end that has not been applied after this is proposed again. */
const repeatMs = 2_000;

const keyOf = (name: LockName, since: Slot): string => `${since}/${name}`;

/** The coordinator's watch over the delays of lost locks. Like an expiry, an end is only proposed, and conditional. */
export class LockDelays {
  readonly #watched = new Map<string, WatchedDelay>();

  /** A new coordinator counts every delay from its start. */
  takeOffice(): void {
    this.#watched.clear();
  }

  /** Ends of the delays whose time is over by this clock. */
  overdue(now: Instant, state: SwarmState): Command[] {
    const ends = new Map<string, Command>();
    const on = new Set<string>();
    for (const { name, delay } of state.locks.delays()) {
      const key = keyOf(name, delay.since);
      on.add(key);
      const watched = this.#watch(now, key);
      const again = watched.endProposedAt === null || now - watched.endProposedAt > repeatMs;
      if (now - watched.since <= longestOf(state, name, delay.since) || (!again && !ends.has(key))) continue;
      watched.endProposedAt = now;
      ends.set(key, { type: 'lock-delay-ended', name, since: delay.since });
    }
    for (const key of this.#watched.keys()) if (!on.has(key)) this.#watched.delete(key);
    return [...ends.values()];
  }

  /** Milliseconds left of the delay that began at slot `since`; null for one that was not seen yet. */
  leftMs(now: Instant, name: LockName, since: Slot, delayMs: number): number | null {
    const watched = this.#watched.get(keyOf(name, since));
    return watched === undefined ? null : Math.max(0, delayMs - (now - watched.since));
  }

  #watch(now: Instant, key: string): WatchedDelay {
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const fresh = { since: now, endProposedAt: null };
    this.#watched.set(key, fresh);
    return fresh;
  }
}

/** Delays of one lock that began at one slot end together, with the longest of them. */
const longestOf = (state: SwarmState, name: LockName, since: Slot): number =>
  Math.max(0, ...(state.locks.get(name)?.delays ?? []).flatMap((each) => (each.since === since ? each.delayMs : [])));
