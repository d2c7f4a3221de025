import { beforeEach, describe, expect, it } from 'vitest';
import { kvKey, type NodeId } from '../../../../shared/domain/ids.ts';
import { entriesPerCheckpoint } from '../../../../src-main/core/machine/limits.ts';
import { Cluster } from './cluster.ts';

/** Enough requests of one machine that all come to the next slot at which they compare. */
function fill(cluster: Cluster, at: NodeId, first: number): void {
  const requests = Array.from({ length: entriesPerCheckpoint }, (_, index) => ({
    client: `${at}#i1.1`,
    sequence: first + index,
    answeredBelow: first,
    command: {
      type: 'kv-transacted' as const,
      by: at,
      compares: [],
      thenOperations: [{ type: 'put' as const, key: kvKey(`key ${index % 50}`), value: `${first}`, session: null }],
      elseOperations: [],
    },
  }));
  const target = cluster.at(at).committed + entriesPerCheckpoint;
  cluster.input(at, { type: 'requested', requests });
  cluster.until(() => cluster.ids.every((id) => cluster.at(id).committed >= target || isStopped(cluster, id)));
  cluster.pass(100);
}

const isStopped = (cluster: Cluster, id: NodeId): boolean =>
  cluster.events(id, 'diverged').some(({ divergence: { node, settled } }) => node === id && settled);

/** A value in the memory of this machine is not what its log made of it any more. */
function alter(cluster: Cluster, id: NodeId): void {
  const [entry] = cluster.at(id).state.kv.page(0, 1);
  Reflect.set(entry ?? {}, 'value', 'altered');
}

describe('machines that compare what they have', () => {
  let cluster: Cluster;
  let leader: NodeId;
  let others: NodeId[];
  const begin = (ranks: readonly number[], learners = 0): void => {
    cluster = new Cluster(ranks, learners);
    leader = cluster.settle();
    others = cluster.others(leader);
    // A name that no later request touches.
    cluster.input(leader, {
      type: 'requested',
      requests: [
        {
          client: `${leader}#i1.0`,
          sequence: 1,
          answeredBelow: 1,
          command: {
            type: 'kv-transacted',
            by: leader,
            compares: [],
            thenOperations: [{ type: 'put', key: kvKey('a first key'), value: 'x', session: null }],
            elseOperations: [],
          },
        },
      ],
    });
    cluster.pass(100);
  };
  beforeEach(() => begin([3, 2, 1]));

  it('find nothing as a rule, and have the same at each slot', () => {
    fill(cluster, leader, 1);
    fill(cluster, leader, 1 + entriesPerCheckpoint);
    const [first, ...rest] = cluster.ids.map((id) => cluster.at(id).checkpoint);
    expect(first?.slot).toBe(2 * entriesPerCheckpoint);
    for (const other of rest) expect(other).toEqual(first);
    for (const id of cluster.ids) expect(cluster.events(id, 'diverged')).toEqual([]);
  });

  it('stop the one whose state is not that of a majority, within as many entries as lie between two comparisons', () => {
    const [damaged = leader, sound = leader] = others;
    alter(cluster, damaged);
    fill(cluster, leader, 1);
    expect(isStopped(cluster, damaged)).toBe(true);
    expect(cluster.events(damaged, 'diverged')[0]?.divergence).toMatchObject({ which: 'state', settled: true });
    expect(cluster.events(leader, 'diverged')[0]?.divergence).toMatchObject({ node: damaged, settled: true });
    expect(isStopped(cluster, sound) || isStopped(cluster, leader)).toBe(false);
    let heard = 0;
    cluster.passes = ({ from }) => {
      if (from === damaged) heard += 1;
      return true;
    };
    cluster.pass(5_000);
    expect(heard).toBe(0);
    expect(cluster.at(leader).role).toBe('coordinator');
  });

  it('stop the coordinator when it is the one, and another goes on', () => {
    alter(cluster, leader);
    fill(cluster, leader, 1);
    expect(isStopped(cluster, leader)).toBe(true);
    cluster.until(() => others.some((id) => cluster.at(id).role === 'coordinator'));
    expect(others.some((id) => isStopped(cluster, id))).toBe(false);
  });

  it('only say so when there are two copies: nobody knows who is right, and both go on', () => {
    begin([1], 1);
    const [learner = leader] = others;
    alter(cluster, learner);
    fill(cluster, leader, 1);
    for (const id of [leader, learner]) {
      expect(cluster.events(id, 'diverged')[0]?.divergence).toMatchObject({ node: learner, settled: false });
      expect(isStopped(cluster, id)).toBe(false);
    }
    fill(cluster, leader, 1 + entriesPerCheckpoint);
    expect(cluster.at(learner).committed).toBe(cluster.at(leader).committed);
  });

  it('pay no heed to such word from a machine that they do not follow', () => {
    fill(cluster, leader, 1);
    const [one = leader, other = leader] = others;
    const own = cluster.at(one).checkpoint;
    if (own === null) throw new Error('nothing was compared');
    const message = { type: 'divergence', checkpoint: { ...own, state: 'f'.repeat(32) }, settled: true } as const;
    cluster.input(one, { type: 'received', from: other, message });
    expect(isStopped(cluster, one)).toBe(false);
    cluster.input(one, { type: 'received', from: leader, message });
    expect(isStopped(cluster, one)).toBe(true);
  });
});
