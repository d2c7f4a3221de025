import { describe, expect, it } from 'vitest';
import { nodeId, sessionId } from '../../../../shared/domain/ids.ts';
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
});
