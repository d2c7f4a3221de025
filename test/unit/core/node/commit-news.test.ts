import { describe, expect, it } from 'vitest';
import { kvKey, sessionId, type NodeId } from '../../../../shared/domain/ids.ts';
import { lanTiming } from '../../../../src-main/core/machine/timing.ts';
import type { Request } from '../../../../src-main/core/state-machine/command.ts';
import { Cluster } from './cluster.ts';

const put = (by: NodeId, sequence: number): Request => ({
  client: `${by}#i1.1`,
  sequence,
  answeredBelow: 1,
  command: {
    type: 'kv-transacted',
    by,
    compares: [],
    thenOperations: [{ type: 'put', key: kvKey('key'), value: String(sequence), session: null }],
    elseOperations: [],
  },
});

/** A settled cluster of three that counts the heartbeats which its coordinator sends. */
function settled() {
  const cluster = new Cluster([100, 100, 100]);
  const coordinator = cluster.settle();
  const [first, second] = cluster.others(coordinator);
  if (first === undefined || second === undefined) throw new Error('three nodes');
  const heartbeats: NodeId[] = [];
  cluster.passes = ({ message, to }) => {
    if (message.type === 'heartbeat') heartbeats.push(to);
    return true;
  };
  // Away from the regular heartbeats, which say the same.
  cluster.until(() => heartbeats.length > 0);
  heartbeats.length = 0;
  return { cluster, coordinator, first, second, heartbeats };
}

describe('the news that an entry is chosen', () => {
  it('reaches a machine that waits for it at once, and the others a little later', () => {
    const { cluster, coordinator, first, second, heartbeats } = settled();
    const before = cluster.at(coordinator).committed;
    cluster.input(first, { type: 'requested', requests: [put(first, 1)] });
    cluster.until(() => cluster.at(first).committed > before, lanTiming.commitNewsMs / 2);
    expect(heartbeats).toEqual([first]);
    expect(cluster.at(second).committed).toBe(before);
    cluster.until(() => cluster.at(second).committed > before, lanTiming.commitNewsMs + 5);
  });

  it('does not go out for a machine that only keeps its session alive', () => {
    const { cluster, coordinator, first, heartbeats } = settled();
    const before = cluster.at(coordinator).committed;
    const renewed = { type: 'session-renewed', session: sessionId(`${first}#i1.1`), renewal: 1 } as const;
    cluster.input(first, { type: 'requested', requests: [{ ...put(first, 1), command: renewed }] });
    cluster.until(() => cluster.at(coordinator).committed > before, lanTiming.commitNewsMs / 2);
    expect(heartbeats).toEqual([]);
    cluster.until(() => cluster.at(first).committed > before, lanTiming.commitNewsMs + 5);
  });

  it('costs no message of its own while entries follow one another', () => {
    const { cluster, coordinator, heartbeats } = settled();
    const before = cluster.at(coordinator).committed;
    for (let sequence = 1; sequence <= 20; sequence++) {
      cluster.input(coordinator, { type: 'requested', requests: [put(coordinator, sequence)] });
      cluster.until(() => cluster.at(coordinator).committed === before + sequence, 100);
    }
    // The first wait ends meanwhile: one round for all, where each entry had one before.
    expect(heartbeats.length).toBeLessThan(20);
    const last = cluster.at(coordinator).committed;
    cluster.until(() => cluster.ids.every((id) => cluster.at(id).committed === last), lanTiming.commitNewsMs + 5);
  });
});
