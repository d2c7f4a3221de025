import { describe, expect, it } from 'vitest';
import { nodeId, slot } from '../../../../shared/domain/ids.ts';
import type { Ballot } from '../../../../src-main/core/paxos/ballot.ts';
import type { Entry, Vote } from '../../../../src-main/core/paxos/messages.ts';
import { entriesToRepropose } from '../../../../src-main/core/paxos/repropose.ts';

const ballot = (round: number): Ballot => ({ epoch: 0, config: 1, round, rank: 1, voter: nodeId('a') });
const value = (payload: string): Entry<string> => ({ type: 'payload', payload });
const stop: Entry<string> = { type: 'stop-sign', voters: [{ node: nodeId('b'), incarnation: 'x', rank: 1 }] };
const vote = (at: number, round: number, entry: Entry<string>): Vote<string> => ({
  slot: slot(at),
  ballot: ballot(round),
  entry,
});

describe('what a new coordinator proposes again', () => {
  it('takes the vote of the highest ballot for each slot, whatever the order in which votes were reported', () => {
    const votes = [vote(5, 2, value('new')), vote(5, 1, value('old')), vote(6, 1, value('six'))];
    expect(entriesToRepropose(slot(5), votes)).toEqual({ entries: [value('new'), value('six')], stopped: false });
    expect(entriesToRepropose(slot(5), votes.toReversed())).toEqual({
      entries: [value('new'), value('six')],
      stopped: false,
    });
  });

  it('fills slots that nobody voted for with no-ops up to the last vote', () => {
    const { entries } = entriesToRepropose(slot(3), [vote(5, 1, value('five'))]);
    expect(entries).toEqual([{ type: 'no-op' }, { type: 'no-op' }, value('five')]);
  });

  it('leaves alone what lies below the first open slot', () => {
    expect(entriesToRepropose(slot(7), [vote(6, 9, value('six'))])).toEqual({ entries: [], stopped: false });
  });

  it('keeps a stop-sign and drops whatever a lower ballot left behind it', () => {
    const votes = [vote(5, 2, stop), vote(6, 1, value('stale'))];
    expect(entriesToRepropose(slot(5), votes)).toEqual({ entries: [stop], stopped: true });
  });

  it('voids a stop-sign when a later slot holds a vote of a higher ballot', () => {
    const votes = [vote(5, 2, stop), vote(6, 3, value('later'))];
    expect(entriesToRepropose(slot(5), votes)).toEqual({
      entries: [{ type: 'no-op' }, value('later')],
      stopped: false,
    });
  });
});
