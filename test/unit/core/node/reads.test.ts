import { describe, expect, it } from 'vitest';
import { sessionId, slot, type NodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { outstandingReadsMax } from '../../../../src-main/core/machine/limits.ts';
import type { NodeEvent } from '../../../../src-main/core/node/messages.ts';
import { readPatienceMs, Reads } from '../../../../src-main/core/node/reads.ts';
import { Cluster } from './cluster.ts';

const first = ({ ids }: Cluster, index: number): NodeId => {
  const id = ids[index];
  if (id === undefined) throw new Error(`there is no node ${index}`);
  return id;
};

/** A command that needs no more than a slot. */
function write(cluster: Cluster, at: NodeId, sequence: number): void {
  const command = { type: 'session-renewed', session: sessionId(`${at}#i1.1`), renewal: sequence } as const;
  cluster.input(at, { type: 'requested', requests: [{ client: `${at}#i1.1`, sequence, answeredBelow: 1, command }] });
}

describe('a linearizable read', () => {
  it('is answered at once where there is a single voter', () => {
    const cluster = new Cluster([100]);
    const only = cluster.settle();
    cluster.input(only, { type: 'read-requested', ids: [1] });
    expect(cluster.events(only, 'read-ready')).toEqual([
      { type: 'read-ready', id: 1, slot: cluster.at(only).committed },
    ]);
  });

  it('at a follower sees what another follower has just had acknowledged', () => {
    const cluster = new Cluster([1, 2, 3]);
    const coordinator = cluster.settle();
    const [writer, reader] = cluster.others(coordinator);
    if (writer === undefined || reader === undefined) throw new Error('two followers are expected');
    write(cluster, writer, 1);
    cluster.until(() => cluster.events(writer, 'applied').some(({ request }) => request?.sequence === 1));
    const written = cluster.at(writer).committed;
    cluster.input(reader, { type: 'read-requested', ids: [7] });
    cluster.until(() => cluster.events(reader, 'read-ready').length > 0);
    expect(cluster.events(reader, 'read-ready')[0]?.slot).toBeGreaterThanOrEqual(written);
    expect(cluster.at(reader).committed).toBeGreaterThanOrEqual(written);
  });

  it('shares one round with all that came before the round began, and starts another for those that came after', () => {
    const cluster = new Cluster([1, 2, 3]);
    const coordinator = cluster.settle();
    const beats = new Set<number>();
    cluster.passes = ({ message }) => {
      if (message.type === 'heartbeat') beats.add(message.beat);
      return true;
    };
    for (let id = 1; id <= 10; id++) cluster.input(coordinator, { type: 'read-requested', ids: [id] });
    cluster.until(() => cluster.events(coordinator, 'read-ready').length === 10, 20);
    // The first read started a round at once; the nine others waited for its end and shared the second.
    expect(beats.size).toBe(2);
  });

  it('is not answered by a coordinator that a majority cannot hear', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    cluster.passes = ({ from, to }) => from !== old && to !== old;
    cluster.input(old, { type: 'read-requested', ids: [1] });
    cluster.pass(readPatienceMs + 2_000);
    expect(cluster.events(old, 'read-ready')).toEqual([]);
    expect(cluster.events(old, 'read-failed')).toMatchObject([{ id: 1, failure: { code: 'no-coordinator' } }]);
  });

  it('waits for the barrier of a new coordinator', () => {
    const cluster = new Cluster([1, 2, 3]);
    const old = cluster.settle();
    // The next coordinator gets its promises, but its barrier goes to nobody.
    cluster.passes = ({ from, to, message }) => from !== old && to !== old && message.type !== 'accept';
    for (const other of cluster.others(old)) cluster.input(other, { type: 'peer-disconnected', peer: old });
    cluster.until(() => cluster.others(old).some((id) => cluster.at(id).role === 'coordinator'));
    const next = cluster.others(old).find((id) => cluster.at(id).role === 'coordinator') ?? old;
    cluster.input(next, { type: 'read-requested', ids: [1] });
    cluster.pass(1_000);
    expect(cluster.events(next, 'read-ready')).toEqual([]);
    cluster.passes = ({ from, to }) => from !== old && to !== old;
    cluster.until(() => cluster.events(next, 'read-ready').length === 1);
  });

  it('asks again under a new number when the answer is lost', () => {
    const cluster = new Cluster([1, 2, 3]);
    const reader = cluster.others(cluster.settle())[0] ?? first(cluster, 0);
    const attempts: number[] = [];
    cluster.passes = ({ message }) => {
      if (message.type === 'read-index') attempts.push(message.attempt);
      return message.type !== 'read-index-answer' || attempts.length > 1;
    };
    cluster.input(reader, { type: 'read-requested', ids: [1] });
    cluster.until(() => cluster.events(reader, 'read-ready').length === 1);
    expect(new Set(attempts).size).toBe(2);
  });
});

describe('reads of one node', () => {
  function start() {
    const events: NodeEvent[] = [];
    const asked: number[] = [];
    const reads = new Reads({
      firstAttempt: 0,
      retryMs: 1_000,
      emit: (event) => events.push(event),
      ask: (_, attempt) => asked.push(attempt),
    });
    return { reads, events, asked };
  }
  const coordinator = 'c' as NodeId;

  it('do not take the answer to an earlier attempt for a read that came later', () => {
    const { reads, events, asked } = start();
    reads.request(instant(0), 1);
    reads.advance(instant(0), coordinator, slot(5));
    reads.request(instant(10), 2);
    reads.expire(instant(1_000), coordinator);
    reads.advance(instant(1_000), coordinator, slot(5));
    reads.onAnswer(coordinator, { attempt: asked[0] ?? 0, slot: slot(5) });
    reads.advance(instant(1_001), coordinator, slot(5));
    expect(events).toEqual([]);
    reads.onAnswer(coordinator, { attempt: asked[1] ?? 0, slot: slot(6) });
    reads.advance(instant(1_002), coordinator, slot(5));
    expect(events).toEqual([]);
    reads.advance(instant(1_003), coordinator, slot(6));
    expect(events).toMatchObject([
      { type: 'read-ready', id: 1, slot: 6 },
      { type: 'read-ready', id: 2, slot: 6 },
    ]);
  });

  it('are bounded in number', () => {
    const { reads, events } = start();
    for (let id = 1; id <= outstandingReadsMax + 1; id++) reads.request(instant(0), id);
    expect(events).toMatchObject([
      { type: 'read-failed', id: outstandingReadsMax + 1, failure: { code: 'limit-reached' } },
    ]);
  });

  it('fail when nobody answers for long', () => {
    const { reads, events } = start();
    reads.request(instant(0), 1);
    reads.expire(instant(readPatienceMs), null);
    expect(events).toEqual([]);
    reads.expire(instant(readPatienceMs + 1), null);
    expect(events).toMatchObject([{ type: 'read-failed', id: 1, failure: { code: 'no-coordinator' } }]);
    expect(reads.size).toBe(0);
  });
});
