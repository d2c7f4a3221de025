import { describe, expect, it } from 'vitest';
import { kvKey, nodeId, sessionId } from '../../../../shared/domain/ids.ts';
import { bytesInFlightMax } from '../../../../src-main/core/machine/limits.ts';
import { Proposals } from '../../../../src-main/core/node/proposals.ts';
import type { Request } from '../../../../src-main/core/state-machine/command.ts';

const request = (sequence: number): Request => ({
  client: 'node-b#i1.1',
  sequence,
  answeredBelow: 1,
  command: { type: 'session-renewed', session: sessionId('node-b#i1.1'), renewal: sequence },
});

describe('what a coordinator has taken on', () => {
  it('is taken on once, however often it is asked for, until it is applied', () => {
    const proposals = new Proposals(nodeId('node-a'));
    expect(proposals.admit([request(1), request(2)], true)).toBeNull();
    expect(proposals.take(10)).toEqual([request(1), request(2)]);
    expect(proposals.admit([request(1), request(3)], true)).toBeNull();
    expect(proposals.take(10)).toEqual([request(3)]);
    proposals.settle(request(1));
    expect(proposals.admit([request(1)], true)).toBeNull();
    expect(proposals.take(10)).toEqual([request(1)]);
  });

  it('is forgotten with the office: whoever asks then is taken on anew', () => {
    const proposals = new Proposals(nodeId('node-a'));
    proposals.admit([request(1)], true);
    proposals.clear();
    expect(proposals.take(10)).toEqual([]);
    proposals.admit([request(1)], true);
    expect(proposals.take(10)).toEqual([request(1)]);
  });

  it('is proposed only as far as bytes in flight allow, in order, and one at least', () => {
    const proposals = new Proposals(nodeId('node-a'));
    const large = (sequence: number): Request => ({
      ...request(sequence),
      command: {
        type: 'kv-transacted',
        by: nodeId('node-b'),
        compares: [],
        thenOperations: [{ type: 'put', key: kvKey('key'), value: 'x'.repeat(bytesInFlightMax / 4), session: null }],
        elseOperations: [],
      },
    });
    proposals.admit([large(1), large(2), large(3), request(4)], true);
    const proposed = (): number[] => proposals.take(10).map(({ sequence }) => sequence);
    expect(proposed()).toEqual([1]);
    expect(proposed()).toEqual([]);
    proposals.settle(large(1));
    expect(proposed()).toEqual([2]);
    proposals.clear();
    proposals.admit([large(3), request(4)], true);
    expect(proposed()).toEqual([3, 4]);
  });
});
