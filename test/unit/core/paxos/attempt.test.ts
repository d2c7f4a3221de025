import { describe, expect, it } from 'vitest';
import { nodeId, slot, type NodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import type { Ballot } from '../../../../src-main/core/paxos/ballot.ts';
import { Replica } from '../../../../src-main/core/paxos/replica.ts';

const [self, left, right] = [nodeId('a'), nodeId('b'), nodeId('c')];
const now = instant(0);

/** A candidate among three whose prepare has left. */
function candidate(): { readonly replica: Replica<string>; readonly ballot: Ballot } {
  const replica = new Replica<string>(
    { node: self, incarnation: 'i1' },
    () => 1,
    () => 1,
  );
  const voters = [self, left, right].map((node) => ({ node, incarnation: 'i1', rank: 1 }));
  const config = { epoch: 0, id: 1, firstSlot: slot(1), voters, cuts: [] };
  replica.recover({ slot: slot(0), config, state: '', chain: null }, []);
  replica.tryToLead(now, 0);
  replica.take();
  const { ballot } = replica;
  if (ballot === null) throw new Error('it prepares no ballot');
  replica.receive(now, self, { type: 'promise', ballot, committed: slot(0), votes: [] }, null);
  return { replica, ballot };
}

function refuse({ replica, ballot }: ReturnType<typeof candidate>, from: NodeId): void {
  const reason = 'coordinator-alive' as const;
  replica.receive(now, from, { type: 'refuse', ballot, reason, promised: null, committed: slot(0) }, null);
}

describe('an attempt to lead', () => {
  it('is not ended by one voter that still hears a coordinator while the others can promise', () => {
    const attempt = candidate();
    refuse(attempt, left);
    refuse(attempt, left);
    expect(attempt.replica.take().attempt).toBeNull();
    const promise = { type: 'promise', ballot: attempt.ballot, committed: slot(0), votes: [] } as const;
    attempt.replica.receive(now, right, promise, null);
    expect(attempt.replica.take().attempt).toBe('won');
  });

  it('ends when so many hear a coordinator that no quorum is left', () => {
    const attempt = candidate();
    refuse(attempt, left);
    refuse(attempt, right);
    expect(attempt.replica.take().attempt).toBe('lost');
  });

  it('counts a voter no longer as refusing once it has promised', () => {
    const attempt = candidate();
    const promise = { type: 'promise', ballot: attempt.ballot, committed: slot(1), votes: [] } as const;
    refuse(attempt, left);
    attempt.replica.receive(now, left, promise, null);
    refuse(attempt, right);
    expect(attempt.replica.take().attempt).toBeNull();
  });
});
