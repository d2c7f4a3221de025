import { slot, type Slot } from '../../../shared/domain/ids.ts';
import { compareBallots } from './ballot.ts';
import type { Entry, Vote } from './messages.ts';

/**
 * What a new coordinator must propose from `first` on, given every vote its phase-1 quorum reported: for each slot
 * the vote of the highest ballot ("Paxos Made Simple", section 2.2, P2c), and a no-op where nobody voted.
 *
 * A stop-sign is void if a later slot holds a vote of a higher ballot, because whoever cast that ballot had seen
 * that the stop-sign could not be chosen; otherwise it stays, and everything behind it goes (Stoppable Paxos, 2008).
 */
export function entriesToRepropose<Payload>(
  first: Slot,
  votes: readonly Vote<Payload>[],
): { readonly entries: readonly Entry<Payload>[]; readonly stopped: boolean } {
  const highest = new Map<Slot, Vote<Payload>>();
  let last = first - 1;
  for (const vote of votes) {
    if (vote.slot < first) continue;
    const known = highest.get(vote.slot);
    if (known === undefined || compareBallots(vote.ballot, known.ballot) > 0) highest.set(vote.slot, vote);
    last = Math.max(last, vote.slot);
  }
  const entries: Entry<Payload>[] = [];
  for (let at: number = first; at <= last; at++) {
    const vote = highest.get(slot(at));
    if (vote === undefined) {
      entries.push({ type: 'no-op' });
    } else if (vote.entry.type !== 'stop-sign') {
      entries.push(vote.entry);
    } else if (isVoid(vote, highest)) {
      entries.push({ type: 'no-op' });
    } else {
      entries.push(vote.entry);
      return { entries, stopped: true };
    }
  }
  return { entries, stopped: false };
}

function isVoid<Payload>(stopSign: Vote<Payload>, highest: ReadonlyMap<Slot, Vote<Payload>>): boolean {
  for (const vote of highest.values()) {
    if (vote.slot > stopSign.slot && compareBallots(vote.ballot, stopSign.ballot) > 0) return true;
  }
  return false;
}
