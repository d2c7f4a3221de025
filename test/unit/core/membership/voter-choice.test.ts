import { describe, expect, it } from 'vitest';
import { nodeId, type NodeId } from '../../../../shared/domain/ids.ts';
import {
  chooseVoters,
  type Candidate,
  type Departure,
  type Seat,
} from '../../../../src-main/core/membership/voter-choice.ts';
import type { RankPin } from '../../../../src-main/core/ranks/rank-table.ts';

const timing = { voterSettleMs: 1_000, voterSilentMs: 10_000, voterStableMs: 600_000 };
const seat = (node: string, incarnation = `${node}1`): Seat => ({ node: nodeId(node), incarnation, rank: 100 });
const seats = (nodes: string): Seat[] => [...nodes].map((node) => seat(node));

interface Known {
  readonly lag?: number;
  readonly incarnation?: string;
  readonly steadyMs?: number;
  readonly rank?: number;
  readonly pin?: RankPin;
}

const candidate = (node: string, known: Known = {}): Candidate => ({
  node: nodeId(node),
  incarnation: known.incarnation ?? `${node}1`,
  rank: known.rank ?? 100,
  pin: known.pin ?? 'none',
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
    /** Hours of the last weeks in which the coordinator met a machine. */
    readonly hours?: Readonly<Record<string, number>>;
  } = {},
): string | null {
  const members = more.members ?? 'abcdefgh';
  const self = nodeId(more.self ?? 'a');
  const chosen = chooseVoters({
    self,
    seats: present,
    // A coordinator has no gaps in its own eyes.
    candidates: heard.map((one) => (one.node === self ? { ...one, steadyMs: Number.POSITIVE_INFINITY } : one)),
    isMember: (node) => members.includes(node),
    departing: new Map(Object.entries(more.departing ?? {}) as [NodeId, Departure][]),
    absentMs: (node) => more.absentMs?.[node] ?? 0,
    hoursOf: (node) => more.hours?.[node] ?? 0,
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

  it('leaves the only vote on a sleeping machine, unless a far better one is awake or the machine leaves for good', () => {
    expect(choose(seats('a'), candidates('ab'), { departing: { a: 'suspend' } })).toBeNull();
    const above = (rank: number): Candidate[] => [candidate('a'), candidate('b', { rank })];
    expect(choose(seats('a'), above(199), { departing: { a: 'suspend' } })).toBeNull();
    expect(choose(seats('a'), above(200), { departing: { a: 'suspend' } })).toBe('b');
    expect(choose(seats('a'), candidates('ab'), { departing: { a: 'leave' } })).toBe('b');
  });

  it('leaves the only vote to no machine without the log', () => {
    expect(choose(seats('abc'), candidates('ab'), { departing: { a: 'leave' }, members: 'ac' })).toBeNull();
  });
});

const steadyMs = 600_000;
const homeBase = (node: string, known: Known = {}): Candidate =>
  candidate(node, { pin: 'home-base', rank: 200, ...known });

describe('the choice of voters where one machine is the home base', () => {
  it('shrinks to it when a voter is silent, while there is still a quorum to say so', () => {
    const heard = [candidate('a'), homeBase('b', { steadyMs: 10_000 })];
    expect(choose(seats('abc'), heard, { absentMs: { c: 10_000 } })).toBe('b');
    expect(choose(seats('abc'), heard, { absentMs: { c: 9_999 } })).toBeNull();
  });

  it('gives the silent voter’s seat to a machine that has long been steady instead', () => {
    const heard = [homeBase('a'), candidate('b'), candidate('d', { steadyMs })];
    expect(choose(seats('abc'), heard, { absentMs: { c: 10_000 } })).toBe('abd');
  });

  it('does not shrink to a machine that just came back, lags, lost its disk or is about to go', () => {
    const absentMs = { c: 10_000 };
    const to = (base: Candidate, departing: Readonly<Record<string, Departure>> = {}): string | null =>
      choose(seats('abc'), [candidate('a'), base], { absentMs, departing });
    expect(to(homeBase('b', { steadyMs: 9_999 }))).toBeNull();
    expect(to(homeBase('b', { lag: 251 }))).toBeNull();
    expect(to(homeBase('b', { incarnation: 'b2', steadyMs }))).not.toBe('b');
    expect(to(homeBase('b'), { b: 'suspend' })).toBe('a');
  });

  it('keeps it, not the coordinator, when voters say that they go', () => {
    const heard = [...candidates('ac'), homeBase('b', { steadyMs: 10_000 })];
    expect(choose(seats('abc'), heard, { departing: { c: 'suspend' } })).toBe('b');
  });

  it('grows again to three only when two others have long been steady', () => {
    const steady = [homeBase('a'), candidate('b', { steadyMs })];
    expect(choose(seats('a'), [...steady, candidate('c', { steadyMs: steadyMs - 1 })])).toBeNull();
    expect(choose(seats('a'), [...steady, candidate('c', { steadyMs })])).toBe('abc');
  });

  it('gives it a seat once it has long been steady: the only one, or that of the voter that is wanted least', () => {
    expect(choose(seats('a'), [candidate('a'), homeBase('b', { steadyMs: steadyMs - 1 })])).toBeNull();
    expect(choose(seats('a'), [candidate('a'), homeBase('b', { steadyMs })])).toBe('b');
    const heard = [candidate('a', { rank: 50 }), candidate('b', { rank: 150 }), candidate('c', { rank: 100 })];
    expect(choose(seats('abc'), [...heard, homeBase('d', { steadyMs })])).toBe('abd');
  });

  it('does not let the vote roam between two home bases', () => {
    expect(choose(seats('b'), [homeBase('a', { steadyMs }), homeBase('b')], { self: 'b' })).toBeNull();
  });
});

describe('the choice of voters by evidence', () => {
  it('lets the vote rest on a machine of the top band that stands two bands above all others', () => {
    const absentMs = { c: 10_000 };
    const standing = (rank: number, others: number): string | null => {
      const three = [seat('a'), seat('b'), { ...seat('c'), rank: others }];
      return choose(three, [candidate('a', { rank: others }), candidate('b', { rank, steadyMs })], { absentMs });
    };
    expect(standing(200, 100)).toBe('b');
    expect(standing(200, 101)).toBeNull();
    expect(standing(150, 0)).toBeNull();
  });

  it('leaves a silent voter its seat among machines that are alike', () => {
    expect(choose(seats('abc'), candidates('ab', { rank: 200 }), { absentMs: { c: 599_000 } })).toBeNull();
  });

  it('moves the only vote off a machine that shall never coordinate', () => {
    const never = candidate('a', { pin: 'never', rank: 0 });
    expect(choose(seats('a'), [never, candidate('b', { steadyMs })])).toBe('b');
    expect(choose(seats('abc'), [never, candidate('b')], { members: 'ab' })).toBe('b');
  });

  it('makes five voters three while no more of them may be silent', () => {
    const absentMs = { d: 10_000, e: 10_000 };
    expect(choose(seats('abcde'), candidates('abc'), { absentMs })).toBe('abc');
    expect(choose(seats('abcde'), candidates('abcd'), { absentMs: { e: 10_000 } })).toBeNull();
  });
});

describe('the choice of voters by the hours in which machines meet', () => {
  const suspends = { departing: { a: 'suspend' } } as const;

  it('gives the only vote of a machine that goes to sleep to one that is awake in most of its hours', () => {
    expect(choose(seats('a'), candidates('abc'), { ...suspends, hours: { a: 100, b: 75, c: 80 } })).toBe('c');
    expect(choose(seats('a'), candidates('ab'), { ...suspends, hours: { a: 100, b: 75 } })).toBe('b');
    expect(choose(seats('a'), candidates('ab'), { ...suspends, hours: { a: 100, b: 74 } })).toBeNull();
  });

  it('gives it to the one that is awake in most of its hours, not to one of little higher rank that it hardly meets', () => {
    const two = [candidate('a'), candidate('b', { rank: 150 }), candidate('c')];
    expect(choose(seats('a'), two, { ...suspends, hours: { a: 100, b: 10, c: 80 } })).toBe('c');
  });

  it('does not give it to a machine of far lower rank, or one that shall not have it', () => {
    const hours = { a: 100, b: 100 };
    expect(choose(seats('a'), [candidate('a'), candidate('b', { rank: 1 })], { ...suspends, hours })).toBe('b');
    expect(choose(seats('a'), [candidate('a'), candidate('b', { rank: 0 })], { ...suspends, hours })).toBeNull();
    expect(choose(seats('a'), [candidate('a'), candidate('b', { pin: 'never' })], { ...suspends, hours })).toBeNull();
  });

  it('leaves it with a home base that sleeps, and gives it to one that is awake', () => {
    const hours = { a: 100, b: 100 };
    const [plain, base] = [(node: string) => candidate(node), (node: string) => homeBase(node, { rank: 150 })];
    expect(choose(seats('a'), [base('a'), plain('b')], { ...suspends, hours })).toBeNull();
    expect(choose(seats('a'), [plain('a'), base('b')], { ...suspends, hours: { a: 100, b: 10 } })).toBe('b');
    expect(choose(seats('a'), [candidate('a', { pin: 'never', rank: 0 }), plain('b')], suspends)).toBe('b');
  });

  it('shrinks to the machine that is met most, not to the coordinator that only meets itself more often', () => {
    const departing = { c: 'suspend' } as const;
    const kept = (b: number): string | null =>
      choose(seats('abc'), candidates('abc'), { departing, hours: { a: 100, b, c: 100 } });
    expect([kept(91), kept(90), kept(89)]).toEqual(['b', 'a', 'a']);
  });

  it('keeps the coordinator where several go on voting', () => {
    const hours = { a: 100, b: 90, c: 90, d: 90, e: 90 };
    expect(choose(seats('abcde'), candidates('abcde'), { departing: { e: 'suspend' }, hours })).toBe('abc');
  });

  it('seats those that are met most', () => {
    expect(choose(seats('a'), candidates('abcd'), { hours: { a: 100, b: 10, c: 50, d: 40 } })).toBe('acd');
  });
});
