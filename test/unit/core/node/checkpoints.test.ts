import { describe, expect, it } from 'vitest';
import { nodeId, slot, type NodeId } from '../../../../shared/domain/ids.ts';
import { digestOf } from '../../../../src-main/core/machine/digest.ts';
import { checkpointsKept, entriesPerCheckpoint } from '../../../../src-main/core/machine/limits.ts';
import { Checkpoints, type Checkpoint } from '../../../../src-main/core/node/checkpoints.ts';
import { newChain } from '../../../../src-main/core/paxos/log-chain.ts';
import type { VoterConfig } from '../../../../src-main/core/paxos/voters.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];
const at = slot(entriesPerCheckpoint);

const having = (state: string, change: Partial<Checkpoint> = {}): Checkpoint => ({
  epoch: 0,
  slot: at,
  chain: newChain(slot(0)),
  state: digestOf(state),
  ...change,
});

const withVoters = (...voters: NodeId[]): VoterConfig => ({
  epoch: 0,
  id: 1,
  firstSlot: slot(1),
  voters: voters.map((node) => ({ node, incarnation: 'i1', rank: 1 })),
  cuts: [],
});

/** As coordinator `a`: what it has, and what was reported to it. */
function told(own: string, reports: readonly (readonly [NodeId, string])[]): Checkpoints {
  const checkpoints = new Checkpoints(a);
  checkpoints.note(having(own));
  for (const [from, state] of reports) checkpoints.report(from, having(state));
  return checkpoints;
}

const found = (checkpoints: Checkpoints, config: VoterConfig): unknown =>
  checkpoints.judge(at, config).map(({ node, which, settled }) => [node, which, settled]);

describe('what machines have at a slot', () => {
  it('shows who differs from a majority of the voters, once', () => {
    const checkpoints = told('x', [
      [b, 'x'],
      [c, 'y'],
      [d, 'z'],
    ]);
    expect(found(checkpoints, withVoters(a, b, c))).toEqual([
      [c, 'state', true],
      [d, 'state', true],
    ]);
    expect(found(checkpoints, withVoters(a, b, c))).toEqual([]);
  });

  it('shows the coordinator itself when the others agree against it', () => {
    expect(
      found(
        told('y', [
          [b, 'x'],
          [c, 'x'],
        ]),
        withVoters(a, b, c),
      ),
    ).toEqual([[a, 'state', true]]);
  });

  it('waits while another voter may yet settle it', () => {
    expect(found(told('x', [[b, 'y']]), withVoters(a, b, c))).toEqual([]);
    expect(found(told('x', [[d, 'y']]), withVoters(a, b, c))).toEqual([]);
  });

  it('says after a while that two differ, though the third voter is away', () => {
    const checkpoints = told('x', [[b, 'y']]);
    const late = checkpoints.judge(at, withVoters(a, b, c), true);
    expect(late.map(({ node, settled }) => [node, settled])).toEqual([[b, false]]);
    checkpoints.report(c, having('x'));
    expect(found(checkpoints, withVoters(a, b, c))).toEqual([[b, 'state', true]]);
  });

  it('knows nobody to be right when all differ, or when there are only two copies', () => {
    expect(
      found(
        told('x', [
          [b, 'y'],
          [c, 'z'],
        ]),
        withVoters(a, b, c),
      ),
    ).toEqual([
      [b, 'state', false],
      [c, 'state', false],
    ]);
    expect(found(told('x', [[d, 'y']]), withVoters(a))).toEqual([[d, 'state', false]]);
  });

  it('names the one that fewest machines agree with when two voters differ and the third is away', () => {
    const config = withVoters(b, a, c);
    const checkpoints = told('x', [
      [b, 'y'],
      [d, 'x'],
    ]);
    expect(checkpoints.judge(at, config, true).map(({ node, settled }) => [node, settled])).toEqual([[b, false]]);
    const others = told('x', [
      [b, 'y'],
      [d, 'y'],
    ]);
    expect(others.judge(at, config, true).map(({ node, settled }) => [node, settled])).toEqual([[a, false]]);
  });

  it('never turns copies against the only voter: its log is the one that counts', () => {
    expect(
      found(
        told('x', [
          [b, 'y'],
          [c, 'y'],
        ]),
        withVoters(a),
      ),
    ).toEqual([
      [b, 'state', false],
      [c, 'state', false],
    ]);
    expect(
      found(
        told('x', [
          [b, 'y'],
          [c, 'x'],
        ]),
        withVoters(a),
      ),
    ).toEqual([[b, 'state', true]]);
  });

  it('compares logs first, and only those that begin at the same slot', () => {
    const other = { ...newChain(slot(0)), link: digestOf('other') };
    const checkpoints = told('x', [[b, 'x']]);
    checkpoints.report(c, having('x', { chain: other }));
    expect(found(checkpoints, withVoters(a, b, c))).toEqual([[c, 'log', true]]);
    const late = told('x', [[b, 'x']]);
    late.report(c, having('x', { chain: { ...other, origin: slot(7) } }));
    expect(found(late, withVoters(a, b, c))).toEqual([]);
  });

  it('says nothing of machines whose program lays records out otherwise, or that are in another epoch', () => {
    const { chain } = having('x');
    for (const change of [{ chain: { ...chain, version: chain.version + 1 } }, { epoch: 1 }]) {
      const checkpoints = told('x', [[b, 'x']]);
      checkpoints.report(c, having('y', change));
      expect(found(checkpoints, withVoters(a, b, c))).toEqual([]);
    }
  });

  it('remembers a bounded number of slots', () => {
    const checkpoints = new Checkpoints(a);
    for (let count = 1; count <= 100; count++) {
      const next = slot(count * entriesPerCheckpoint);
      checkpoints.note(having('x', { slot: next }));
      checkpoints.report(b, having('y', { slot: slot(next + 50 * entriesPerCheckpoint) }));
    }
    expect(checkpoints.ownAt(slot(100 * entriesPerCheckpoint))).toBeDefined();
    expect(checkpoints.ownAt(slot((100 - checkpointsKept) * entriesPerCheckpoint))).toBeUndefined();
  });
});
