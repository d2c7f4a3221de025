import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../shared/domain/ids.ts';
import { bool, double, encode, text, uint53, type Codec } from '../../../src-main/wire/codec.ts';
import { list, message, required, union } from '../../../src-main/wire/composite.ts';
import { decodeJournal } from '../../../src-main/wire/facts.ts';
import { decodeFrame, encodeFrames, messagesPerFrameMax } from '../../../src-main/wire/frame.ts';
import { ballot, entry } from '../../../src-main/wire/messages.ts';
import type { NodeMessage } from '../../../src-main/core/node/messages.ts';

const lead = { epoch: 0, config: 1, round: 2, rank: 100, voter: nodeId('a') };
const heartbeat = { type: 'heartbeat', ballot: lead, committed: 7, beat: 3, level: 1 } as unknown as NodeMessage;

const heartbeatFields = {
  ballot: required(1, ballot),
  committed: required(2, uint53()),
  beat: required(3, uint53()),
  level: required(4, uint53()),
};

/** Kinds of message as a program after this one may have them. */
const newer = union('NodeMessage', 'type', {
  heartbeat: [
    15,
    message('Heartbeat', {
      ...heartbeatFields,
      mood: required(5, text(20)),
      at: required(6, double()),
      tags: list(8, text(5), 100),
    }),
  ],
  'learn-reply': [
    18,
    message('LearnReply', {
      firstSlot: required(1, uint53()),
      entries: list(
        2,
        union('Entry', 'type', {
          'no-op': [2, message('NoOp', {})],
          merge: [9, message('Merge', { into: required(1, uint53()) })],
        }),
        10,
      ),
      committed: required(3, uint53()),
    }),
  ],
  accepted: [
    14,
    message('Accepted', {
      ballot: required(1, ballot),
      firstSlot: required(2, uint53()),
      lastSlot: required(3, uint53()),
      conditional: required(4, bool),
    }),
  ],
  gossip: [200, message('Gossip', { about: required(1, text(50)) })],
});

const tags = (count: number): string[] => Array.from({ length: count }, () => 'x');
const gossip = { type: 'gossip', about: 'y' } as const;
const newHeartbeat = (count: number) =>
  ({ ...heartbeat, type: 'heartbeat', mood: 'fine', at: 1.5, tags: tags(count) }) as never;

/** A frame of these messages, each as its codec writes it. */
function frameOf(...messages: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array([8, 1, ...messages.flatMap((bytes) => [18, ...bytes])]);
}

const known = (): Uint8Array => (encodeFrames([heartbeat])[0] ?? new Uint8Array()).slice(3);

describe('what a newer program says', () => {
  it('is heard without the fields that are new, where it is not kept', () => {
    const frame = frameOf(encode(newer, newHeartbeat(3)), known());
    expect(decodeFrame(frame)).toEqual({ ok: true, value: { messages: [heartbeat, heartbeat], passedOver: 0 } });
  });

  it('may not be mostly what nobody knows', () => {
    expect(decodeFrame(frameOf(encode(newer, newHeartbeat(40))))).toMatchObject({
      ok: false,
      failure: { code: 'limit-reached' },
    });
  });

  it('is passed over, and counted, where it is of an unknown kind; the rest of the frame is heard', () => {
    const frame = frameOf(encode(newer, gossip), known(), encode(newer, gossip));
    expect(decodeFrame(frame)).toEqual({ ok: true, value: { messages: [heartbeat], passedOver: 2 } });
  });

  it('is passed over whole where a part of it is to be voted for or kept', () => {
    const entries = [{ type: 'no-op' }, { type: 'merge', into: 4 }];
    const reply = encode(newer, { type: 'learn-reply', firstSlot: 1, entries, committed: 2 } as never);
    const accepted = { type: 'accepted', ballot: lead, firstSlot: 1, lastSlot: 2, conditional: true };
    const frame = frameOf(reply, encode(newer, accepted as never), known());
    expect(decodeFrame(frame)).toEqual({ ok: true, value: { messages: [heartbeat], passedOver: 2 } });
  });

  it('counts towards the bound on messages of a frame', () => {
    const bytes = encode(newer, gossip);
    const frame = frameOf(...Array.from({ length: messagesPerFrameMax + 1 }, () => bytes));
    expect(decodeFrame(frame)).toMatchObject({ ok: false, failure: { code: 'limit-reached' } });
  });
});

describe('what no program says', () => {
  /** The fields of a heartbeat as raw bytes: its length and that of the union are one byte each. */
  const withFields = (change: (fields: number[]) => number[]): Uint8Array => {
    const bytes = [
      ...encode(
        union('NodeMessage', 'type', { heartbeat: [15, message('Heartbeat', heartbeatFields)] }),
        heartbeat as never,
      ),
    ];
    const fields = change(bytes.slice(3));
    return new Uint8Array([fields.length + 2, bytes[1] ?? 0, fields.length, ...fields]);
  };
  const codeOf = (bytes: Uint8Array): string => {
    const decoded = decodeFrame(frameOf(bytes));
    return decoded.ok ? 'heard' : decoded.failure.code;
  };

  it('is refused with its whole frame', () => {
    expect(codeOf(withFields((fields) => fields))).toBe('heard');
    // A known field again, unknown ones out of order, a group, a fixed number of four bytes, one that is cut short.
    expect(codeOf(withFields((fields) => [...fields, 8, 1]))).toBe('malformed');
    expect(codeOf(withFields((fields) => [...fields, 56, 1, 48, 1]))).toBe('malformed');
    expect(codeOf(withFields((fields) => [...fields, 51, 52]))).toBe('malformed');
    expect(codeOf(withFields((fields) => [...fields, 53, 0, 0, 0, 0]))).toBe('malformed');
    expect(codeOf(withFields((fields) => [...fields, 49, 0, 0]))).toBe('malformed');
    expect(codeOf(withFields((fields) => [...fields, 50, 90, 1]))).toBe('limit-reached');
    expect(codeOf(withFields((fields) => fields.slice(0, -1)))).toBe('malformed');
  });
});

describe('the journal of a newer program', () => {
  const record = <Value>(codec: Codec<Value>, value: Value): Uint8Array => {
    const accepted = message('LearnedFact', { firstSlot: required(2, uint53()), entries: list(3, codec, 10) });
    const fact = union('NodeFact', 'type', { learned: [3, accepted] });
    const journal = message('JournalRecord', { version: required(1, uint53()), fact: required(2, fact) });
    return encode(journal, { version: 1, fact: { type: 'learned', firstSlot: 1, entries: [value] } } as never);
  };

  it('is left alone, and said to be one: what it holds cannot be forgotten', () => {
    expect(decodeJournal([record(entry, { type: 'no-op' })])).toMatchObject({ ok: true });
    const merge = union('Entry', 'type', { merge: [9, message('Merge', { into: required(1, uint53()) })] });
    expect(decodeJournal([record(merge, { type: 'merge', into: 4 })])).toMatchObject({
      ok: false,
      failure: { code: 'unsupported-version', hint: 'It was written by a newer Skein: start that one.' },
    });
  });
});
