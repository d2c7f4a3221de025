import { describe, expect, it } from 'vitest';
import { nodeId, sessionId } from '../../../../shared/domain/ids.ts';
import { OutstandingRequests } from '../../../../src-main/core/node/outstanding.ts';
import { Proposals } from '../../../../src-main/core/node/proposals.ts';
import type { Request } from '../../../../src-main/core/state-machine/command.ts';

const a = nodeId('a');

const renewal = (sequence: number): Request => ({
  client: 'a#i1.1',
  sequence,
  answeredBelow: 1,
  command: { type: 'session-renewed', session: sessionId('a#i1.1'), renewal: sequence },
});

describe('requests that are asked for again', () => {
  it('are proposed once until they are applied', () => {
    const proposals = new Proposals(a);
    proposals.admit([renewal(1), renewal(2)], true);
    proposals.admit([renewal(1), renewal(3)], true);
    expect(proposals.take(10).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    proposals.admit([renewal(1)], true);
    expect(proposals.take(10)).toEqual([]);
    proposals.settle(renewal(1));
    proposals.admit([renewal(1)], true);
    expect(proposals.take(10)).toHaveLength(1);
  });

  it('are proposed by a coordinator that has lost its office and won it again', () => {
    const proposals = new Proposals(a);
    proposals.admit([renewal(1)], true);
    proposals.take(10);
    proposals.clear();
    proposals.admit([renewal(1)], true);
    expect(proposals.take(10)).toHaveLength(1);
  });

  it('are over when a snapshot that replaced the state has their result', () => {
    const outstanding = new OutstandingRequests(1_000);
    for (const sequence of [1, 2]) outstanding.add(renewal(sequence));
    const answered = outstanding.takeAnswered(({ sequence }) => (sequence === 2 ? { type: 'done' } : null));
    expect(answered).toEqual([{ request: renewal(2), result: { type: 'done' } }]);
    expect(outstanding.size).toBe(1);
  });
});
