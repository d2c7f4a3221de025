import { describe, expect, it } from 'vitest';
import { nodeId, type NodeId } from '../../../../shared/domain/ids.ts';
import {
  chooseVoters,
  type Candidate,
  type Departure,
  type Seat,
} from '../../../../src-main/core/membership/voter-choice.ts';

const timing = { voterSettleMs: 1_000, voterStableMs: 600_000 };
const seat = (node: string, incarnation = `${node}1`): Seat => ({ node: nodeId(node), incarnation, rank: 100 });
const seats = (nodes: string): Seat[] => [...nodes].map((node) => seat(node));

interface Known {
  readonly lag?: number;
  readonly incarnation?: string;
  readonly steadyMs?: number;
  readonly rank?: number;
}

const candidate = (node: string, known: Known = {}): Candidate => ({
  node: nodeId(node),
  incarnation: known.incarnation ?? `${node}1`,
  rank: known.rank ?? 100,
  lag: known.lag ?? 0,
  steadyMs: known.steadyMs ?? 2_000,
});
const candidates = (nodes: string, known: Known = {}): Candidate[] => [...nodes].map((node) => candidate(node, known));

function choose(
  present: readonly Seat[],
  heard: readonly Candidate[],
  more: {
    readonly members?: string;
    readonly departing?: Readonly<Record<string, Departure>>;
    readonly absentMs?: Readonly<Record<string, number>>;
    readonly self?: string;
  } = {},
): string | null {
  const members = more.members ?? 'abcdefgh';
  const chosen = chooseVoters({
    self: nodeId(more.self ?? 'a'),
    seats: present,
    candidates: heard,
    isMember: (node) => members.includes(node),
    departing: new Map(Object.entries(more.departing ?? {}) as [NodeId, Departure][]),
    absentMs: (node) => more.absentMs?.[node] ?? 0,
    timing,
  });
  return (
    chosen
      ?.map(({ node }) => node)
      .sort()
      .join('') ?? null
  );
}

describe('the choice of voters', () => {
  it('stays with one voter while there are fewer than three machines', () => {
    expect(choose(seats('a'), candidates('ab'))).toBeNull();
  });

  it('grows to three as soon as three machines have the log and have settled', () => {
    expect(choose(seats('a'), candidates('abc'))).toBe('abc');
    expect(choose(seats('a'), [...candidates('ab'), candidate('c', { steadyMs: 900 })])).toBeNull();
  });

  it('does not seat a machine that lags or is not heard', () => {
    expect(choose(seats('a'), [...candidates('ac'), candidate('b', { lag: 251 })])).toBeNull();
    expect(choose(seats('a'), candidates('ac'))).toBeNull();
  });

  it('leaves the seat of a machine that is merely asleep', () => {
    expect(choose(seats('abc'), candidates('abd'), { absentMs: { c: 599_000 } })).toBeNull();
  });

  it('gives the seat of a machine that is silent for long to one that has been steady for long', () => {
    const steady = [...candidates('ab'), candidate('d', { steadyMs: 600_000 })];
    expect(choose(seats('abc'), steady, { absentMs: { c: 600_000 } })).toBe('abd');
    expect(choose(seats('abc'), candidates('abd'), { absentMs: { c: 600_000 } })).toBeNull();
  });

  it('replaces a voter that left the swarm, or whose state directory is a new one', () => {
    expect(choose(seats('abc'), candidates('abd'), { members: 'abd' })).toBe('abd');
    expect(choose(seats('abc'), [...candidates('abd'), candidate('c', { incarnation: 'c2' })])).toBe('abc');
  });

  it('waits for a machine that is about to settle before it makes the voters fewer', () => {
    const settling = [...candidates('ab'), candidate('c', { incarnation: 'c2', steadyMs: 10 })];
    expect(choose(seats('abc'), settling)).toBeNull();
  });

  it('never makes two voters: without a third, the coordinator votes alone', () => {
    expect(choose(seats('abc'), candidates('ab'), { members: 'ab' })).toBe('a');
  });

  it('grows to five only with seven steady machines, and falls back to three without five', () => {
    const steady = candidates('abcdefg', { steadyMs: 600_000 });
    expect(choose(seats('abc'), steady)).toBe('abcde');
    expect(choose(seats('abc'), steady.slice(1))).toBeNull();
    expect(choose(seats('abcde'), candidates('abcd'), { members: 'abcd' })).toBe('abc');
  });

  it('gives up the seat of a machine that says it is going to sleep', () => {
    expect(choose(seats('abc'), candidates('abcd'), { departing: { b: 'suspend' } })).toBe('acd');
    expect(choose(seats('abc'), candidates('abc'), { departing: { b: 'suspend' } })).toBe('a');
    expect(choose(seats('abc'), candidates('abc'), { departing: { a: 'shutdown' } })).toBe('b');
  });

  it('leaves the only vote on a sleeping machine, unless a better one is awake or the machine leaves for good', () => {
    expect(choose(seats('a'), candidates('ab'), { departing: { a: 'suspend' } })).toBeNull();
    const better = [candidate('a'), candidate('b', { rank: 150 })];
    expect(choose(seats('a'), better, { departing: { a: 'suspend' } })).toBe('b');
    expect(choose(seats('a'), candidates('ab'), { departing: { a: 'leave' } })).toBe('b');
  });

  it('leaves the only vote to no machine without the log', () => {
    expect(choose(seats('abc'), candidates('ab'), { departing: { a: 'leave' }, members: 'ac' })).toBeNull();
  });
});
