import fc from 'fast-check';
import { describe as group, expect, it } from 'vitest';
import { lockName, nodeId, sessionId } from '../../../shared/domain/ids.ts';
import { reasonCharsMax } from '../../../src-main/core/machine/limits.ts';
import type { NodeMessage } from '../../../src-main/core/node/messages.ts';
import { decode, encode } from '../../../src-main/wire/codec.ts';
import { describe } from '../../../src-main/wire/composite.ts';
import { frameBytesMax } from '../../../src-main/core/machine/limits.ts';
import { decodeFrame, encodeFrames } from '../../../src-main/wire/frame.ts';
import { normalised, request } from '../../../src-main/wire/commands.ts';
import { nodeMessage } from '../../../src-main/wire/messages.ts';
import { arbitraryMessage, arbitraryRequest } from './arbitrary-messages.ts';

const ballot = { epoch: 0, config: 1, round: 2, rank: 100, voter: nodeId('a') };

/** Kinds that are said and not kept. */
const openTypes: ReadonlySet<string> = new Set([
  ...['pre-vote', 'pre-vote-answer', 'election', 'answer', 'refuse', 'heartbeat', 'heartbeat-ack', 'learn-request'],
  ...['snapshot-request', 'departing', 'propose-refused', 'read-index', 'checkpoint', 'divergence'],
]);

group('messages on the wire', () => {
  it('come back as they were sent, every kind of them', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage, { maxLength: 5 }), (messages) => {
        const back = encodeFrames(messages).map((frame) => decodeFrame(frame));
        expect(back).toEqual(messages.length === 0 ? [] : [{ ok: true, value: { messages, passedOver: 0 } }]);
      }),
      { numRuns: 300 },
    );
  });

  it('have one spelling: what decodes, encodes to the same bytes', () => {
    fc.assert(
      fc.property(arbitraryMessage, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), (message, changes) => {
        const bytes = encode(nodeMessage, message).slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const decoded = decode(nodeMessage, bytes);
        if (!decoded.ok) return;
        const again = encode(nodeMessage, decoded.value);
        // A field of a newer program is passed over where that does no harm.
        if (again.length === bytes.length || !openTypes.has(decoded.value.type)) expect(again).toEqual(bytes);
        else expect(again.length).toBeLessThan(bytes.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never make the reader throw, whatever was done to their bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(arbitraryMessage, damage, fc.nat(), (message, changes, length) => {
        const [frame = new Uint8Array()] = encodeFrames([message]);
        const bytes = frame.slice(0, length % (frame.length + 1));
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const decoded = decodeFrame(bytes);
        if (!decoded.ok) expect(['malformed', 'limit-reached', 'unsupported-version']).toContain(decoded.failure.code);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never make the reader throw when they are not messages at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeFrame(bytes);
        decode(nodeMessage, bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  it('are refused when cut short anywhere', () => {
    const bytes = encode(nodeMessage, { type: 'accepted', ballot, firstSlot: 7, lastSlot: 9 } as NodeMessage);
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(nodeMessage, bytes.slice(0, length))).toMatchObject({ ok: false, failure: { code: 'malformed' } });
    }
  });

  it('are refused with anything behind their end', () => {
    const bytes = encode(nodeMessage, { type: 'learn-request', fromSlot: 7 } as NodeMessage);
    expect(decode(nodeMessage, new Uint8Array([...bytes, 0]))).toMatchObject({
      ok: false,
      failure: { code: 'malformed' },
    });
  });

  it('are refused when a length claims more than there is, before anything is allocated', () => {
    const claim = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(decode(nodeMessage, claim)).toMatchObject({ ok: false, failure: { code: 'malformed' } });
  });

  it('are refused in a frame of another version, by that name', () => {
    expect(decodeFrame(new Uint8Array([8, 2]))).toMatchObject({ ok: false, failure: { code: 'unsupported-version' } });
  });

  it('are refused in a frame above its limit', () => {
    expect(decodeFrame(new Uint8Array(frameBytesMax + 1))).toMatchObject({
      ok: false,
      failure: { code: 'limit-reached' },
    });
  });

  it('of an unknown kind are refused, as those of a newer program', () => {
    const bytes = encode(nodeMessage, { type: 'learn-request', fromSlot: 7 } as NodeMessage).slice();
    // The member's tag follows the length: field 17 becomes field 2047.
    bytes[1] = 0xfa;
    bytes[2] = 0x7f;
    expect(decode(nodeMessage, bytes)).toMatchObject({ ok: false, failure: { code: 'unsupported-version' } });
  });

  it('travel several in a frame, and in several frames when they are large', () => {
    const part: NodeMessage = {
      type: 'snapshot-part',
      slot: 1,
      config: { epoch: 0, id: 1, firstSlot: 1, voters: [], cuts: [] },
      offsetChars: 0,
      totalChars: 1_000_000,
      text: 'x'.repeat(200_000),
      chain: null,
    } as unknown as NodeMessage;
    const messages = Array.from({ length: 20 }, () => part);
    const frames = encodeFrames(messages);
    expect(frames.length).toBeGreaterThan(2);
    expect(frames.length).toBeLessThan(10);
    expect(
      frames.map((frame) => decodeFrame(frame)).flatMap((frame) => (frame.ok ? frame.value.messages : [])),
    ).toEqual(messages);
  });

  it('describe themselves, each type once', () => {
    const proto = describe(nodeMessage);
    expect(proto).toContain('message Accept {\n  Ballot ballot = 1;\n  uint64 first_slot = 2;  // ≤ 2^53 - 1');
    const names = [...proto.matchAll(/^message (\w+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

group('a request', () => {
  it('is the same after it was normalised', () => {
    fc.assert(
      fc.property(arbitraryRequest, (value) => {
        expect(normalised(value)).toEqual({ ok: true, value });
      }),
      { numRuns: 200 },
    );
  });

  it('whose text has half a character reaches its origin as it reaches everyone else', () => {
    const broken = {
      client: 'a#1.1',
      sequence: 1,
      answeredBelow: 1,
      command: {
        type: 'lock-requested',
        name: lockName('l'),
        session: sessionId('a#1.1'),
        owner: 'o',
        label: 'half \ud83d',
        wait: true,
      },
    } as const;
    const sent = normalised(broken);
    expect(sent).toMatchObject({ ok: true, value: { command: { label: 'half \ufffd' } } });
    if (sent.ok) expect(decode(request, encode(request, sent.value))).toEqual(sent);
  });

  it('that is out of bounds never leaves', () => {
    const command = {
      type: 'tasks-cancelled',
      job: 1,
      indices: null,
      by: 'me',
      reason: 'x'.repeat(reasonCharsMax + 1),
    };
    const result = normalised({ client: 'a#1.1', sequence: 1, answeredBelow: 1, command } as never);
    expect(result).toMatchObject({ ok: false, failure: { code: 'bad-input' } });
  });

  it('with an environment named like a property of all objects stays what it is', () => {
    const env = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const command = {
      type: 'job-submitted',
      submitter: 'a',
      spec: {
        name: 'n',
        argv: ['a'],
        env,
        outputs: [],
        lock: null,
        retries: 0,
        timeoutMs: null,
        on: null,
        policy: 'least-loaded',
        slots: 1,
      },
      taskCount: 1,
      manifest: 'ab'.repeat(32),
    };
    const result = normalised({ client: 'a#1.1', sequence: 1, answeredBelow: 1, command } as never);
    expect(result.ok && JSON.stringify(result.value.command)).toBe(JSON.stringify(command));
  });
});
