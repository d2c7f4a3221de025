import { describe, expect, it } from 'vitest';
import { nodeId, slot } from '../../../shared/domain/ids.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeEvent } from '../../../src-main/core/node/messages.ts';
import { newChain } from '../../../src-main/core/paxos/log-chain.ts';
import type { Journal } from '../../../src-main/ports/journal.ts';
import { CoordinationRecord, entriesKept } from '../../../src-main/services/coordination-record.ts';
import { DiskTiming, timedJournal } from '../../../src-main/services/disk-timing.ts';
import { ManualClock } from './fakes.ts';

const ada = nodeId('ada');
const bob = nodeId('bob');
const ballot = { epoch: 0, config: 1, round: 3, rank: 100, voter: bob };

const coordinates = (coordinator: typeof ada | null, reason: string): NodeEvent => ({
  type: 'coordinator-changed',
  coordinator,
  ballot: coordinator === null ? null : ballot,
  reason,
});
const applied = (at: number): NodeEvent => ({
  type: 'applied',
  slot: slot(at),
  request: null,
  result: { type: 'done' },
  events: [],
});

describe('what is remembered of coordination', () => {
  it('says who coordinated, why, and how long nobody did before', async () => {
    const clock = new ManualClock();
    const record = new CoordinationRecord(clock, String, null);
    record.heard(coordinates(ada, 'no voter of higher rank answered'));
    await clock.advance(5_000);
    record.heard(coordinates(null, 'its connection was closed'));
    await clock.advance(700);
    record.heard(coordinates(null, 'still nobody'));
    await clock.advance(300);
    record.heard(coordinates(bob, 'ada is gone'));
    expect(record.events().map(({ text, reason, silentMs }) => [text, reason, silentMs])).toEqual([
      ['bob coordinates', 'ada is gone', 1_000],
      ['Nobody coordinates', 'still nobody', null],
      ['ada is no longer heard as coordinator', 'its connection was closed', null],
      ['ada coordinates', 'no voter of higher rank answered', 0],
    ]);
  });

  it('keeps the latest divergence of each machine, and says what follows from it', () => {
    const record = new CoordinationRecord(new ManualClock(), String, null);
    const checkpoint = { epoch: 0, slot: slot(1_000), chain: newChain(slot(0)), state: '' };
    const found = (at: number, settled: boolean): NodeEvent => ({
      type: 'diverged',
      divergence: { slot: slot(at), node: ada, which: 'state', own: checkpoint, theirs: checkpoint, settled },
    });
    record.heard(found(1_000, false));
    record.heard(found(2_000, true));
    expect(record.divergences().map((one) => [one.slot, one.settled])).toEqual([[2_000, true]]);
    expect(record.events().map(({ kind, text, reason }) => [kind, text, reason])).toEqual([
      [
        'divergence',
        'ada has another state than the others at slot 2000',
        'a majority agrees, so it puts its own record aside and learns from the others',
      ],
      [
        'divergence',
        'ada and another machine differ in their state at slot 1000',
        'there is no third copy to tell who is right; both go on and nothing is thrown away',
      ],
    ]);
  });

  it('keeps a bounded number of events and entries, the newest first', () => {
    const record = new CoordinationRecord(new ManualClock(), String, 7);
    for (let at = 1; at <= 1_000; at++) {
      record.heard(coordinates(at % 2 === 0 ? ada : null, String(at)));
      record.heard(applied(at));
    }
    expect(record.events()).toHaveLength(100);
    expect(record.events()[0]?.reason).toBe('1000');
    expect(record.entries(3).map((entry) => entry.slot)).toEqual([1_000, 999, 998]);
    expect(record.entries(10_000)).toHaveLength(entriesKept);
    expect(record.snapshot).toEqual({ slot: 7, at: null });
  });
});

describe('the timing of the disk', () => {
  it('counts from the append until the write is there for good, and only where that was asked for', async () => {
    const clock = new ManualClock();
    const timing = new DiskTiming();
    const waiting: ((failure?: Failure) => void)[] = [];
    const journal: Journal = {
      append: (_records, _options, done) => void waiting.push(done),
      replaceHead: (_head, done) => done(),
      bytes: 12,
      close: async () => undefined,
    };
    const timed = timedJournal(journal, clock, timing);
    expect(timing.figures()).toBeNull();
    for (let tookMs = 1; tookMs <= 100; tookMs++) {
      timed.append([], { sync: true }, () => undefined);
      await clock.advance(tookMs);
      waiting.pop()?.();
    }
    timed.append([], { sync: false }, () => undefined);
    await clock.advance(9_999);
    waiting.pop()?.();
    expect(timing.figures()).toEqual({ p50Ms: 51, p99Ms: 100, worstMs: 100, writes: 100 });
    expect(timed.bytes).toBe(12);
  });
});
