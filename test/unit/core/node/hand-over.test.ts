import { describe, expect, it } from 'vitest';
import { nodeId, sessionId, type NodeId } from '../../../../shared/domain/ids.ts';
import { handOverPatienceMs, preferredSuccessor } from '../../../../src-main/core/node/hand-over.ts';
import { Cluster } from './cluster.ts';

function write(cluster: Cluster, at: NodeId, sequence: number): void {
  const command = { type: 'session-renewed', session: sessionId(`${at}#i1.1`), renewal: sequence } as const;
  const request = { client: `${at}#i1.1`, sequence, answeredBelow: 1, command };
  cluster.input(at, { type: 'requested', requests: [request] });
}

const coordinatesAt = (cluster: Cluster, id: NodeId): boolean => cluster.at(id).role === 'coordinator';

describe('a hand-over', () => {
  it('makes the best other voter coordinator within a few round trips', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    const began = cluster.now;
    cluster.input(old, { type: 'hand-over', to: null, reason: 'it goes to sleep' });
    cluster.until(() => cluster.others(old).some((id) => coordinatesAt(cluster, id)), 100);
    expect(cluster.now - began).toBeLessThan(20);
    expect(coordinatesAt(cluster, old)).toBe(false);
    const next = cluster.settle();
    // The best of the others is the one of the highest rank.
    expect(next).toBe([...cluster.others(old)].sort().at(-1));
    const reasons = cluster.events(next, 'role-changed').map(({ reason }) => reason);
    expect(reasons).toContain('handed over: it goes to sleep');
  });

  it('goes to the voter that is named', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    const [named] = [...cluster.others(old)].sort();
    if (named === undefined) throw new Error('there are others');
    cluster.input(old, { type: 'hand-over', to: named, reason: 'rank' });
    cluster.until(() => coordinatesAt(cluster, named), 100);
  });

  it('loses no request that arrives meanwhile', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    const [writer] = cluster.others(old);
    if (writer === undefined) throw new Error('there are others');
    for (let sequence = 1; sequence <= 20; sequence++) {
      write(cluster, writer, sequence);
      if (sequence === 10) cluster.input(old, { type: 'hand-over', to: null, reason: 'test' });
      cluster.pass(1);
    }
    cluster.until(() => cluster.at(writer).outstandingCount === 0, 5_000);
    expect(coordinatesAt(cluster, old)).toBe(false);
  });

  it('waits until everything in flight is chosen', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    let took = false;
    cluster.passes = ({ message }) => {
      took ||= message.type === 'take-over';
      return message.type !== 'accepted';
    };
    write(cluster, old, 1);
    cluster.input(old, { type: 'hand-over', to: null, reason: 'test' });
    cluster.pass(500);
    expect(took).toBe(false);
    cluster.passes = () => true;
    cluster.until(() => !coordinatesAt(cluster, old), 2_000);
  });

  it('that comes to nothing leaves the coordinator in office, and it proposes again', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    cluster.passes = ({ message }) => message.type !== 'take-over';
    cluster.input(old, { type: 'hand-over', to: null, reason: 'test' });
    write(cluster, old, 1);
    cluster.pass(500);
    expect(cluster.at(old).outstandingCount).toBe(1);
    cluster.pass(handOverPatienceMs);
    expect(coordinatesAt(cluster, old)).toBe(true);
    expect(cluster.at(old).outstandingCount).toBe(0);
  });

  it('is not begun by anybody else, and not towards a voter that is not heard', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    const [first, second] = cluster.others(old);
    if (first === undefined || second === undefined) throw new Error('there are two others');
    cluster.input(first, { type: 'hand-over', to: first, reason: 'I want to' });
    cluster.input(old, { type: 'peer-disconnected', peer: second });
    cluster.input(old, { type: 'hand-over', to: second, reason: 'gone' });
    cluster.pass(200);
    expect(coordinatesAt(cluster, old)).toBe(true);
  });
});

describe('a voter that hears a coordinator', () => {
  it('does not let a prepare through that names another ballot, and none that the coordinator did not ask for', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    const [candidate, voter] = cluster.others(old);
    if (candidate === undefined || voter === undefined) throw new Error('there are two others');
    const followed = cluster.at(old).ballot;
    if (followed === null) throw new Error('the coordinator has a ballot');
    const ballot = { ...followed, round: followed.round + 1, voter: candidate };
    const answers: string[] = [];
    cluster.passes = ({ to, message }) => {
      if (to === candidate && (message.type === 'promise' || message.type === 'refuse')) answers.push(message.type);
      return true;
    };
    const prepare = { type: 'prepare', ballot, fromSlot: cluster.at(candidate).committed } as const;
    const ask = (at: NodeId, leave: typeof ballot | null): void =>
      cluster.input(at, {
        type: 'received',
        from: candidate,
        message: { ...prepare, fromSlot: prepare.fromSlot, leave },
      });
    ask(voter, null);
    ask(voter, { ...followed, round: followed.round - 1 });
    // The coordinator knows best that it has not handed over.
    ask(old, followed);
    expect(answers).toEqual(['refuse', 'refuse', 'refuse']);
  });

  it('does not take over for a coordinator that it does not follow', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    const [first, second] = cluster.others(old);
    const ballot = cluster.at(old).ballot;
    if (first === undefined || second === undefined || ballot === null) throw new Error('there are two others');
    cluster.input(first, { type: 'received', from: second, message: { type: 'take-over', ballot, reason: 'forged' } });
    const older = { ...ballot, round: ballot.round - 1 };
    cluster.input(first, {
      type: 'received',
      from: old,
      message: { type: 'take-over', ballot: older, reason: 'late' },
    });
    expect(cluster.at(first).role).toBe('voter');
  });
});

describe('a voter that is wanted more as coordinator', () => {
  it('is let go ahead once it has been steady for half an hour, and only when it is two bands above', () => {
    const seat = (name: string, rank: number) => ({ node: nodeId(name), incarnation: 'i1', rank });
    const self = nodeId('a');
    const steady = (node: NodeId): number | null => (node === 'b' ? 31 * 60_000 : 60_000);
    expect(preferredSuccessor(self, [seat('a', 100), seat('b', 150)], steady)).toBeNull();
    expect(preferredSuccessor(self, [seat('a', 100), seat('b', 200)], steady)).toBe('b');
    expect(preferredSuccessor(self, [seat('a', 100), seat('c', 200)], steady)).toBeNull();
    expect(preferredSuccessor(self, [seat('a', 0), seat('b', 100), seat('c', 200)], steady)).toBe('b');
  });

  it('takes over by the word of the coordinator, and nothing else moves it', () => {
    const cluster = new Cluster([100, 100, 100]);
    const old = cluster.settle();
    const [wanted] = [...cluster.others(old)].sort();
    if (wanted === undefined) throw new Error('there are others');
    const command = { type: 'rank-pinned', node: wanted, pin: 'home-base', by: 'its owner' } as const;
    const request = { client: `${wanted}#i1.1`, sequence: 1, answeredBelow: 1, command };
    cluster.input(wanted, { type: 'requested', requests: [request] });
    cluster.pass(10 * 60_000);
    expect(coordinatesAt(cluster, old)).toBe(true);
    cluster.until(() => coordinatesAt(cluster, wanted), 25 * 60_000);
    const reasons = cluster.events(wanted, 'role-changed').map(({ reason }) => reason);
    expect(reasons).toContain('handed over: it is wanted more as coordinator');
  });
});
