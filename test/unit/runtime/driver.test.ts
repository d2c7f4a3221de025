import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../shared/domain/failure.ts';
import type { NodeEvent, NodeInput } from '../../../src-main/core/node/messages.ts';
import { createDriver } from '../../../src-main/runtime/driver.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import { decodeFrame, encodeFrames } from '../../../src-main/wire/frame.ts';
import { diskFailed, fact, FakeTransport, HeldClock, HeldJournal, message, peer, self, silent } from './fakes.ts';

/** A node whose answer to each input the test decides. */
function start(answer: (input: NodeInput) => readonly NodeEffect[] = () => []) {
  const inputs: NodeInput[] = [];
  const events: NodeEvent[] = [];
  const failures: Failure[] = [];
  const [journal, transport, clock] = [new HeldJournal(), new FakeTransport(), new HeldClock()];
  const driver = createDriver({
    node: {
      step: (_now, input) => {
        inputs.push(input);
        return answer(input);
      },
      durableFacts: () => [],
    },
    journal,
    transport,
    clock,
    logger: silent,
    onEvent: (event) => events.push(event),
    onFailed: (failure) => failures.push(failure),
  });
  driver.start();
  return { driver, inputs, events, failures, journal, transport, clock };
}

const typesOf = (inputs: readonly NodeInput[]): string[] => inputs.map((input) => input.type);

describe('the driver', () => {
  it('tells the node of connected peers, then that it has started', () => {
    expect(start().inputs).toEqual([{ type: 'peer-connected', peer }, { type: 'started' }]);
  });

  it('hands each message of a frame to the node, in order', () => {
    const { inputs, transport } = start();
    for (const frame of encodeFrames([message(1), message(2)])) transport.frame(peer, frame);
    expect(inputs.slice(2)).toEqual([
      { type: 'received', from: peer, message: message(1) },
      { type: 'received', from: peer, message: message(2) },
    ]);
  });

  it('drops a frame it cannot read and goes on', () => {
    const { inputs, failures, transport } = start();
    transport.frame(peer, new Uint8Array([1, 2, 3]));
    for (const frame of encodeFrames([message(1)])) transport.frame(peer, frame);
    expect(typesOf(inputs.slice(2))).toEqual(['received']);
    expect(failures).toEqual([]);
  });

  it('sends what one drain leaves for a peer as one frame', () => {
    const { transport } = start((input) =>
      input.type === 'started'
        ? [1, 2, 3].map((id): NodeEffect => ({ type: 'send', to: peer, message: message(id) }))
        : [],
    );
    expect(transport.sent.map(({ to, frame }) => [to, decodeFrame(frame)])).toEqual([
      [peer, { ok: true, value: { messages: [message(1), message(2), message(3)], passedOver: 0 } }],
    ]);
  });

  it('finishes a step before it takes an input that arose within it', () => {
    const order: string[] = [];
    const { driver } = start((input) => {
      order.push(`in ${input.type}`);
      if (input.type === 'members-changed') driver.input({ type: 'timer', timer: 'retry' });
      order.push(`out ${input.type}`);
      return [];
    });
    order.length = 0;
    driver.input({ type: 'members-changed', members: [] });
    expect(order).toEqual(['in members-changed', 'out members-changed', 'in timer', 'out timer']);
  });

  it('returns a message to itself as an input, after what stands before it is on disk', () => {
    const { inputs, journal } = start((input) =>
      input.type === 'started'
        ? [
            { type: 'persist', facts: [fact(1)] },
            { type: 'send', to: self, message: message(9) },
          ]
        : [],
    );
    expect(typesOf(inputs)).toEqual(['peer-connected', 'started']);
    journal.complete();
    expect(inputs.slice(2)).toEqual([{ type: 'received', from: self, message: message(9) }]);
  });

  it('replaces a timer of the same name and cancels it on request', () => {
    const { driver, inputs, clock } = start((input) => {
      if (input.type === 'started') return [{ type: 'set-timer', timer: 'suspect', afterMs: 100 }];
      if (input.type === 'members-changed') return [{ type: 'set-timer', timer: 'suspect', afterMs: 300 }];
      if (input.type === 'load-heard') return [{ type: 'cancel-timer', timer: 'suspect' }];
      return [];
    });
    driver.input({ type: 'members-changed', members: [] });
    clock.pass(299);
    expect(typesOf(inputs)).not.toContain('timer');
    clock.pass(2);
    expect(typesOf(inputs).filter((type) => type === 'timer')).toEqual(['timer']);
    driver.input({ type: 'members-changed', members: [] });
    driver.input({ type: 'load-heard', node: peer, load: 0 });
    clock.pass(2_000);
    expect(typesOf(inputs).filter((type) => type === 'timer')).toEqual(['timer']);
  });

  it('tells the node that it woke before anything else, when the clocks have parted', () => {
    const { inputs, clock, transport } = start();
    clock.pass(10_000);
    clock.wallAt += 3_000;
    for (const frame of encodeFrames([message(1)])) transport.frame(peer, frame);
    expect(typesOf(inputs.slice(2))).toEqual(['woke', 'received']);
  });

  it('tells the node that it woke when no tick came for far too long', () => {
    const { inputs, clock, transport } = start();
    clock.at += 10_000;
    clock.wallAt += 10_000;
    for (const frame of encodeFrames([message(1)])) transport.frame(peer, frame);
    expect(typesOf(inputs.slice(2))).toEqual(['woke', 'received']);
  });

  it('never believes that it woke while the clocks go on together', () => {
    const { inputs, clock } = start();
    clock.pass(60_000);
    expect(typesOf(inputs)).not.toContain('woke');
  });

  it('halts when the disk fails: it says so once, and nothing leaves or arrives any more', () => {
    const { driver, inputs, failures, journal, transport, clock } = start((input) =>
      input.type === 'started'
        ? [
            { type: 'persist', facts: [fact(1)] },
            { type: 'send', to: peer, message: message(1) },
          ]
        : [],
    );
    journal.complete(diskFailed);
    const before = inputs.length;
    driver.input({ type: 'started' });
    for (const frame of encodeFrames([message(1)])) transport.frame(peer, frame);
    clock.pass(5_000);
    expect({ failures, after: inputs.length - before, sent: transport.sent }).toEqual({
      failures: [diskFailed],
      after: 0,
      sent: [],
    });
  });

  it('halts when the node catches itself in a mistake', () => {
    const { failures, driver } = start((input) => {
      if (input.type === 'members-changed') throw new Error('slot 3 chosen twice');
      return [];
    });
    driver.input({ type: 'members-changed', members: [] });
    expect(failures).toMatchObject([{ code: 'internal', message: 'Error: slot 3 chosen twice' }]);
  });
});
