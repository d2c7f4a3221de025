import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeFact } from '../../../src-main/core/node/messages.ts';
import { decodeJournal, encodeFact, encodeSnapshot, recordBytesMax } from '../../../src-main/wire/facts.ts';
import { decodeFrame, encodeFrames } from '../../../src-main/wire/frame.ts';
import { arbitraryFact, arbitraryMessage, arbitrarySnapshot } from './arbitrary-messages.ts';

describe('the records of a journal', () => {
  it('give back the snapshot and the facts they were made of', () => {
    fc.assert(
      fc.property(
        fc.option(arbitrarySnapshot, { nil: null }),
        fc.array(arbitraryFact, { maxLength: 6 }),
        (snapshot, facts) => {
          const records = [...(snapshot === null ? [] : encodeSnapshot(snapshot)), ...facts.flatMap(encodeFact)];
          expect(decodeJournal(records)).toEqual({ ok: true, value: { snapshot, facts } });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are the same whether the entries of a vote came in a frame or were made here', () => {
    fc.assert(
      fc.property(arbitraryMessage, (message) => {
        const [frame = new Uint8Array()] = encodeFrames([message]);
        const received = decodeFrame(frame);
        if (!received.ok || message.type !== 'accept') return;
        const [came] = received.value.messages;
        if (came?.type !== 'accept') throw new Error('an accept came as something else');
        const { ballot, firstSlot } = message;
        const made = { type: 'accepted' as const, ballot, firstSlot, entries: structuredClone(message.entries) };
        expect(encodeFact({ ...made, entries: came.entries })).toEqual(encodeFact(made));
        expect(encodeFrames([came])).toEqual([frame]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('split a large snapshot, even in the middle of a character, and join it again', () => {
    const state = `${'x'.repeat(1_024 * 1_024 - 1)}🦢${'é'.repeat(2_000_000)}`;
    const snapshot = {
      slot: 5,
      config: { epoch: 0, id: 1, firstSlot: 1, voters: [], cuts: [] },
      state,
      chain: null,
    } as never;
    const records = encodeSnapshot(snapshot);
    expect(records.length).toBe(3);
    expect(Math.max(...records.map((record) => record.length))).toBeLessThanOrEqual(recordBytesMax);
    expect(decodeJournal(records)).toEqual({ ok: true, value: { snapshot, facts: [] } });
  });

  it('split votes whose entries are large, with each slot kept', () => {
    const command = {
      type: 'job-submitted',
      submitter: 'a',
      spec: {
        name: 'n',
        argv: ['x'.repeat(60_000)],
        env: {},
        outputs: [],
        lock: null,
        retries: 0,
        timeoutMs: null,
        on: null,
        policy: 'round-robin',
        slots: 1,
      },
      taskCount: 1,
      manifest: 'ab'.repeat(32),
    };
    const entry = {
      type: 'payload',
      payload: { request: { client: 'a#1.1', sequence: 1, answeredBelow: 1, command }, at: 1 },
    };
    const ballot = { epoch: 0, config: 1, round: 1, rank: 1, voter: 'a' };
    const fact = {
      type: 'accepted',
      ballot,
      firstSlot: 10,
      entries: Array.from({ length: 200 }, () => entry),
    } as unknown as NodeFact;
    const records = encodeFact(fact);
    expect(Math.max(...records.map((record) => record.length))).toBeLessThanOrEqual(recordBytesMax);
    const back = decodeJournal(records);
    const parts = back.ok ? back.value.facts.flatMap((each) => (each.type === 'accepted' ? [each] : [])) : [];
    let next = 10;
    for (const part of parts) {
      expect(part.firstSlot).toBe(next);
      next += part.entries.length;
    }
    expect(next).toBe(210);
  });

  it('that were damaged are a failure, never a shorter memory', () => {
    fc.assert(
      fc.property(fc.array(arbitraryFact, { minLength: 1, maxLength: 4 }), fc.nat(), (facts, which) => {
        const records = facts.flatMap(encodeFact);
        const at = which % records.length;
        const cut = records.map((record, index) => (index === at ? record.slice(0, -1) : record));
        expect(decodeJournal(cut)).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
      }),
      { numRuns: 100 },
    );
  });

  it('of a snapshot that lost a part, or come behind a fact, are a failure', () => {
    const snapshot = {
      slot: 5,
      config: { epoch: 0, id: 1, firstSlot: 1, voters: [], cuts: [] },
      state: 'x'.repeat(3_000_000),
    } as never;
    const [first = new Uint8Array(), second = new Uint8Array(), third = new Uint8Array()] = encodeSnapshot(snapshot);
    const fact = encodeFact({ type: 'committed', slot: 1 } as unknown as NodeFact);
    expect(decodeJournal([first, second])).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
    expect(decodeJournal([first, third, second])).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
    expect(decodeJournal([...fact, first, second, third])).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
  });
});
