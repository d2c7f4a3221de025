import { describe, expect, it } from 'vitest';
import { sessionId, slot } from '../../../shared/domain/ids.ts';
import type { NodeEvent } from '../../../src-main/core/node/messages.ts';
import type { Command, CommandResult, Request } from '../../../src-main/core/state-machine/command.ts';
import { Requests } from '../../../src-main/runtime/requests.ts';
import { HeldClock } from './fakes.ts';

const command: Command = { type: 'session-renewed', session: sessionId('a#i.1'), renewal: 1 };

function start(hasCoordinator = true) {
  const clock = new HeldClock();
  const sent: Request[] = [];
  const requests = new Requests({
    client: 'a#i.1',
    clock,
    submit: (request) => sent.push(request),
    hasCoordinator: () => hasCoordinator,
  });
  const apply = (request: Request | undefined, result: CommandResult = { type: 'done' }): void => {
    if (request === undefined) throw new Error('nothing was sent');
    const event: NodeEvent = { type: 'applied', slot: slot(1), request, result, events: [] };
    requests.onEvent(event);
  };
  return { clock, sent, requests, apply };
}

describe('requests of this machine', () => {
  it('are numbered from 1 and say which answers have arrived', () => {
    const { requests, sent, apply } = start();
    for (let turn = 0; turn < 3; turn++) void requests.propose(command);
    apply(sent[0]);
    apply(sent[2]);
    void requests.propose(command);
    expect(sent.map(({ sequence, answeredBelow }) => [sequence, answeredBelow])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 2],
    ]);
  });

  it('are answered with what applying them answered', async () => {
    const { requests, sent, apply } = start();
    const [first, second] = [requests.propose(command), requests.propose(command)];
    apply(sent[1], { type: 'refused', failure: { code: 'precondition-failed', message: 'renewed already' } });
    apply(sent[0], { type: 'tasks-changed', count: 2 });
    expect(await first).toEqual({ ok: true, value: { type: 'tasks-changed', count: 2 } });
    expect(await second).toMatchObject({ ok: false, failure: { code: 'precondition-failed' } });
  });

  it('of another client are not theirs', () => {
    const { requests, apply } = start();
    void requests.propose(command);
    apply({ client: 'a#i.0', sequence: 1, answeredBelow: 1, command });
    expect(requests.pendingCount).toBe(1);
  });

  it('have an unknown outcome after their time, and stay unanswered until they are applied', async () => {
    const { requests, sent, clock, apply } = start();
    const late = requests.propose(command, { timeoutMs: 1_000 });
    clock.pass(1_001);
    expect(await late).toMatchObject({ ok: false, failure: { code: 'unknown-outcome' } });
    void requests.propose(command);
    expect(sent[1]?.answeredBelow).toBe(1);
    apply(sent[0]);
    void requests.propose(command);
    expect(sent[2]?.answeredBelow).toBe(2);
  });

  it('say that there is no coordinator when there is none', async () => {
    const { requests, clock } = start(false);
    const late = requests.propose(command, { timeoutMs: 1_000 });
    clock.pass(1_001);
    expect(await late).toMatchObject({ ok: false, failure: { code: 'no-coordinator' } });
  });

  it('can be given up, before and after they left', async () => {
    const { requests, sent } = start();
    const controller = new AbortController();
    const waiting = requests.propose(command, { signal: controller.signal });
    controller.abort();
    expect(await waiting).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
    expect(await requests.propose(command, { signal: controller.signal })).toMatchObject({
      ok: false,
      failure: { code: 'cancelled' },
    });
    expect(sent.length).toBe(1);
  });

  it('out of bounds fail at once and use up no number', async () => {
    const { requests, sent } = start();
    const wild: Command = { type: 'session-renewed', session: sessionId('x'.repeat(10_000)), renewal: 1 };
    const { signal } = new AbortController();
    expect(await requests.propose(wild, { signal })).toMatchObject({ ok: false, failure: { code: 'bad-input' } });
    void requests.propose(command);
    expect(sent.map(({ sequence }) => sequence)).toEqual([1]);
  });

  it('refused by the node itself are answered so', async () => {
    const { requests } = start();
    const refused = requests.propose(command);
    requests.onEvent({ type: 'request-refused', sequence: 1, failure: { code: 'limit-reached', message: 'too many' } });
    expect(await refused).toMatchObject({ ok: false, failure: { code: 'limit-reached' } });
  });

  it('have an unknown outcome when the node halts, and later ones fail with its reason', async () => {
    const { requests } = start();
    const waiting = requests.propose(command);
    requests.end({ code: 'disk-failed', message: 'the disk is gone' });
    expect(await waiting).toMatchObject({ ok: false, failure: { code: 'unknown-outcome' } });
    expect(await requests.propose(command)).toMatchObject({ ok: false, failure: { code: 'disk-failed' } });
  });
});
