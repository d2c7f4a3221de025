import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../shared/domain/ids.ts';
import { chooseVoters, type Candidate, type Seat } from '../../../../src-main/core/membership/voter-choice.ts';

const seat = (node: string, incarnation = `${node}1`): Seat => ({ node: nodeId(node), incarnation, rank: 100 });
const candidate = (node: string, lag: number | null = 0, incarnation = `${node}1`): Candidate => ({
  node: nodeId(node),
  incarnation,
  lag,
});
const choose = (seats: Seat[], candidates: Candidate[], members = 'abcde') =>
  chooseVoters({ self: nodeId('a'), seats, candidates, isMember: (node) => members.includes(node) })?.map(
    ({ node }) => node,
  ) ?? null;

describe('the choice of voters', () => {
  it('stays with one voter while there are fewer than three machines', () => {
    expect(choose([seat('a')], [candidate('a'), candidate('b')])).toBeNull();
  });

  it('grows to three as soon as three machines have the log', () => {
    expect(choose([seat('a')], [candidate('a'), candidate('b'), candidate('c')])).toEqual(['a', 'b', 'c']);
  });

  it('does not seat a machine that lags or is not heard', () => {
    expect(choose([seat('a')], [candidate('a'), candidate('b', 251), candidate('c')])).toBeNull();
    expect(choose([seat('a')], [candidate('a'), candidate('b', null), candidate('c')])).toBeNull();
  });

  it('leaves the seat of a machine that is merely asleep', () => {
    expect(choose([seat('a'), seat('b'), seat('c')], [candidate('a'), candidate('b'), candidate('d')])).toBeNull();
  });

  it('replaces a voter that left the swarm, or whose state directory is a new one', () => {
    const seats = [seat('a'), seat('b'), seat('c')];
    const candidates = [candidate('a'), candidate('b'), candidate('d')];
    expect(choose(seats, candidates, 'abd')).toEqual(['a', 'b', 'd']);
    expect(choose(seats, [...candidates, candidate('c', 0, 'c2')])).toEqual(['a', 'b', 'c']);
  });

  it('never makes two voters: without a third, the coordinator votes alone', () => {
    expect(choose([seat('a'), seat('b'), seat('c')], [candidate('a'), candidate('b')], 'ab')).toEqual(['a']);
  });
});
