import { describe, expect, it } from 'vitest';
import { copyWaitMs } from '../../../../src-main/core/paxos/copies.ts';
import { ReplicaPair } from './replica-pair.ts';

describe('one voter and a durable learner', () => {
  it('chooses an entry when both disks have it', () => {
    const pair = new ReplicaPair();
    pair.propose('x', 'y');
    expect(pair.chosen).toEqual(['open', 'x', 'y']);
    expect(pair.voter.singleCopies).toBeNull();
    const kept = pair.learner.durableFacts().flatMap((fact) => ('entries' in fact ? fact.entries : []));
    expect(kept.filter((entry) => entry.type === 'payload').map((entry) => entry.payload)).toEqual(['x', 'y']);
  });

  it('waits a moment for a learner that went silent, then chooses with one copy and says so', () => {
    const pair = new ReplicaPair();
    pair.propose('x');
    pair.connected = false;
    pair.propose('y');
    expect(pair.chosen).toEqual(['open', 'x']);
    expect(pair.voter.copyWaitLeftMs(pair.now)).toBe(copyWaitMs);
    pair.advance(copyWaitMs);
    pair.voter.stopWaitingForCopies(pair.now);
    pair.settle();
    expect(pair.chosen).toEqual(['open', 'x', 'y']);
    expect(pair.voter.singleCopies).toEqual({ firstSlot: 3, count: 1 });
  });

  it('waits in vain only once', () => {
    const pair = new ReplicaPair();
    pair.propose('x');
    pair.connected = false;
    pair.propose('y');
    pair.advance(copyWaitMs);
    pair.voter.stopWaitingForCopies(pair.now);
    pair.propose('z');
    expect(pair.chosen.at(-1)).toBe('z');
    expect(pair.voter.singleCopies).toEqual({ firstSlot: 3, count: 2 });
  });

  it('has two copies again once the learner has caught up, and waits for it again', () => {
    const pair = new ReplicaPair();
    pair.propose('x');
    pair.connected = false;
    pair.propose('y');
    pair.advance(copyWaitMs);
    pair.voter.stopWaitingForCopies(pair.now);
    pair.settle();
    pair.connected = true;
    for (let round = 0; round < 3; round++) {
      pair.advance(500);
      pair.beat();
    }
    expect(pair.learner.committed).toBe(pair.voter.committed);
    expect(pair.voter.singleCopies).toBeNull();
    pair.propose('z');
    pair.connected = false;
    pair.propose('last');
    expect(pair.chosen.at(-1)).toBe('z');
  });

  it('never counts the learner in a quorum: without the voter it leads nothing', () => {
    const pair = new ReplicaPair();
    pair.propose('x');
    pair.learner.tryToLead(pair.now, 0);
    pair.settle();
    expect(pair.learner.phase).toBe('idle');
    expect(pair.learner.hasSeat).toBe(false);
  });
});
