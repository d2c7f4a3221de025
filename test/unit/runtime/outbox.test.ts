import { describe, expect, it } from 'vitest';
import type { NodeEvent } from '../../../src-main/core/node/messages.ts';
import { Outbox, type NodeEffect } from '../../../src-main/runtime/outbox.ts';
import { diskFailed, fact, HeldJournal, message, peer, self } from './fakes.ts';

function start() {
  const journal = new HeldJournal();
  const out: string[] = [];
  const outbox = new Outbox({
    self,
    journal,
    durableFacts: () => [fact(1), fact(2)],
    sendAll: (to, messages) =>
      out.push(`${to}:${messages.map((each) => ('fromSlot' in each ? each.fromSlot : each.type)).join(',')}`),
    sendToSelf: (own) => out.push(`self:${'fromSlot' in own ? own.fromSlot : own.type}`),
    emit: (event) => out.push(`event:${event.type}`),
    setTimer: (timer, afterMs) => out.push(`timer:${timer}:${afterMs}`),
    cancelTimer: (timer) => out.push(`cancel:${timer}`),
    wake: () => {
      outbox.flush();
      outbox.drain();
    },
    onFailure: (failure) => out.push(`failed:${failure.code}`),
  });
  const step = (...effects: NodeEffect[]): void => {
    outbox.take(effects);
    outbox.flush();
    outbox.drain();
  };
  return { journal, out, outbox, step };
}

const persist = (slot: number): NodeEffect => ({ type: 'persist', facts: [fact(slot)] });
const record = (slot: number): NodeEffect => ({ type: 'record', facts: [fact(slot)] });
const send = (id: number, to = peer): NodeEffect => ({ type: 'send', to, message: message(id) });
const event: NodeEvent = { type: 'request-refused', sequence: 1, failure: { code: 'internal', message: '' } };
const emit: NodeEffect = { type: 'emit', event };
const snapshotTaken: NodeEffect = {
  type: 'emit',
  event: {
    type: 'snapshot-taken',
    snapshot: { slot: 5, config: { epoch: 0, id: 1, firstSlot: 1, voters: [], cuts: [] }, state: '{}' },
  },
} as unknown as NodeEffect;

describe('the outbox', () => {
  it('holds what stands behind a persist until its facts are on disk', () => {
    const { journal, out, step } = start();
    step(send(1), persist(1), send(2), emit);
    expect(out).toEqual(['b:1']);
    journal.complete();
    expect(out).toEqual(['b:1', 'event:request-refused', 'b:2']);
  });

  it('keeps the order across steps: a later step waits behind an earlier barrier', () => {
    const { journal, out, step } = start();
    step(persist(1), send(1));
    step(send(2));
    expect(out).toEqual([]);
    journal.complete();
    expect(out).toEqual(['b:1,2']);
  });

  it('joins all persists that arrive during a flush into the next', () => {
    const { journal, out, step } = start();
    step(persist(1), send(1));
    step(persist(2), send(2));
    step(persist(3), send(3));
    expect(journal.writes.map(({ count, sync }) => ({ count, sync }))).toEqual([{ count: 1, sync: true }]);
    journal.complete();
    expect(out).toEqual(['b:1']);
    expect(journal.writes.map(({ count }) => count)).toEqual([2]);
    journal.complete();
    expect(out).toEqual(['b:1', 'b:2,3']);
  });

  it('lets a message to itself arrive only after what stands before it is on disk', () => {
    const { journal, out, step } = start();
    step(persist(1), send(1, self));
    expect(out).toEqual([]);
    journal.complete();
    expect(out).toEqual(['self:1']);
  });

  it('waits for nothing after a record, and writes it in order with the others', () => {
    const { journal, out, step } = start();
    step(record(1), send(1));
    expect(out).toEqual(['b:1']);
    expect(journal.writes.map(({ count, sync }) => ({ count, sync }))).toEqual([{ count: 1, sync: false }]);
  });

  it('sets and cancels timers at once', () => {
    const { out, step } = start();
    step(
      persist(1),
      { type: 'set-timer', timer: 'heartbeat', afterMs: 300 },
      { type: 'cancel-timer', timer: 'suspect' },
    );
    expect(out).toEqual(['timer:heartbeat:300', 'cancel:suspect']);
  });

  it('puts a snapshot on disk before anyone hears of it, behind everything written before', () => {
    const { journal, out, step } = start();
    step(persist(1), send(1));
    step(persist(2), snapshotTaken, send(2));
    expect(journal.writes.map(({ type, count }) => [type, count])).toEqual([
      ['append', 1],
      ['append', 1],
      ['replace', 3],
    ]);
    journal.complete();
    journal.complete();
    expect(out).toEqual(['b:1']);
    journal.complete();
    expect(out).toEqual(['b:1', 'event:snapshot-taken', 'b:2']);
  });

  it('lets nothing more leave once the disk has failed', () => {
    const { journal, out, outbox, step } = start();
    step(persist(1), send(1));
    step(persist(2), send(2));
    journal.complete(diskFailed);
    step(send(3), persist(3));
    expect(out).toEqual(['failed:disk-failed']);
    expect(journal.writes).toEqual([]);
    outbox.drain();
    expect(out).toEqual(['failed:disk-failed']);
  });
});
