import { describe, expect, it } from 'vitest';
import type { NodeId } from '../../../../shared/domain/ids.ts';
import { slot } from '../../../../shared/domain/ids.ts';
import { lanTiming } from '../../../../src-main/core/machine/timing.ts';
import { Cluster } from './cluster.ts';

/** A voter has promised a higher ballot whose owner came to nothing, and says so. */
function outbid(cluster: Cluster, coordinator: NodeId, by: NodeId): void {
  const { ballot } = cluster.at(coordinator).coordinator ?? {};
  if (ballot === undefined) throw new Error('it coordinates');
  const promised = { ...ballot, round: ballot.round + 1, voter: by };
  const refusal = { type: 'refuse', ballot, reason: 'lower-ballot', promised, committed: slot(0) } as const;
  cluster.input(coordinator, { type: 'received', from: by, message: refusal });
}

const someoneCoordinates = (cluster: Cluster): boolean =>
  cluster.ids.some((id) => cluster.at(id).role === 'coordinator');

describe('a coordinator that was outbid', () => {
  it('is not held up by voters that still believe in it', () => {
    const cluster = new Cluster([1, 2, 3]);
    const coordinator = cluster.settle();
    const [voter] = cluster.others(coordinator);
    if (voter === undefined) throw new Error('there are others');
    outbid(cluster, coordinator, voter);
    expect(someoneCoordinates(cluster)).toBe(false);
    // A random pause of up to 600 ms, and a few messages: much less than a suspicion.
    cluster.until(() => someoneCoordinates(cluster), 700);
  });

  it('does not hold up the one that it made room for', () => {
    const cluster = new Cluster([1, 2, 3]);
    const coordinator = cluster.settle();
    const [first, second] = cluster.others(coordinator);
    if (first === undefined || second === undefined) throw new Error('there are others');
    // The former coordinator asks, and is gone before anybody answers.
    cluster.passes = ({ from, message }) => from !== coordinator || message.type === 'pre-vote';
    outbid(cluster, coordinator, first);
    cluster.pass(700);
    for (const id of [first, second]) expect(cluster.at(id).coordinator).toBeNull();
  });
});

describe('a candidate that promises another', () => {
  it('gives it the time of a phase 1 before it tries again', () => {
    const cluster = new Cluster([1, 2, 3]);
    const [low, middle, high] = cluster.ids;
    if (low === undefined || middle === undefined || high === undefined) throw new Error('there are three');
    // Nobody ever promises the candidate anything, so its attempt stays open.
    let prepared = false;
    let asked = false;
    cluster.passes = ({ from, message }) => {
      if (from === middle && message.type === 'prepare') prepared = true;
      if (from === middle && message.type === 'pre-vote') asked = true;
      return message.type === 'pre-vote' || message.type === 'pre-vote-answer' ? from !== high : false;
    };
    cluster.until(() => prepared);
    const config = cluster.at(middle).config;
    if (config === null) throw new Error('it has a configuration');
    const ballot = { epoch: config.epoch, config: config.id, round: 100, rank: 3, voter: high };
    asked = false;
    const prepare = { type: 'prepare', ballot, fromSlot: slot(1), leave: null } as const;
    cluster.input(middle, { type: 'received', from: high, message: prepare });
    cluster.pass(lanTiming.tryMs - 1);
    expect(asked).toBe(false);
    cluster.until(() => asked, lanTiming.tryMs);
  });
});
