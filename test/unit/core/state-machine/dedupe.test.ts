import { describe, expect, it } from 'vitest';
import { contentHash, lockName, slot, wallTime } from '../../../../shared/domain/ids.ts';
import { clientsMax, outstandingRequestsMax } from '../../../../src-main/core/machine/limits.ts';
import { apply } from '../../../../src-main/core/state-machine/apply.ts';
import type { Applied } from '../../../../src-main/core/state-machine/applied.ts';
import { createState } from '../../../../src-main/core/state-machine/state.ts';
import { capacity, machine, run, spec } from './harness.ts';

function log() {
  const state = createState();
  let next = 0;
  const send = (client: string, sequence: number, answeredBelow: number, owner = 'client:1'): Applied => {
    next += 1;
    const command = {
      type: 'lock-requested',
      name: lockName('x'),
      session: run('a'),
      owner,
      label: '',
      wait: true,
    } as const;
    return apply(state, slot(next), { request: { client, sequence, answeredBelow, command }, at: wallTime(0) });
  };
  next += 1;
  const command = {
    type: 'session-opened',
    session: run('a'),
    node: machine('a'),
    name: 'a',
    ttlMs: 1,
    capacity: capacity(1),
  } as const;
  apply(state, slot(next), { request: { client: 'opener', sequence: 1, answeredBelow: 1, command }, at: wallTime(0) });
  return { state, send };
}

describe('de-duplication', () => {
  it('answers a resent request as before, without a second effect', () => {
    const { send } = log();
    const first = send('c', 1, 1);
    expect(first.result).toEqual({ type: 'lock-granted', token: 2 });
    expect(send('c', 1, 1)).toEqual({ result: first.result, events: [] });
  });

  it('makes one job of a submission that stands in the log twice', () => {
    const state = createState();
    const command = {
      type: 'job-submitted',
      submitter: machine('a'),
      spec: spec(),
      taskCount: 1,
      manifest: contentHash('00'),
    } as const;
    const logged = { request: { client: 'c', sequence: 1, answeredBelow: 1, command }, at: wallTime(0) };
    expect(apply(state, slot(1), logged).result).toEqual({ type: 'job-accepted', job: 1 });
    expect(apply(state, slot(2), logged)).toEqual({ result: { type: 'job-accepted', job: 1 }, events: [] });
    expect(state.tasks.jobs()).toHaveLength(1);
  });

  it('forgets results that the client confirmed, and then says that the outcome is unknown', () => {
    const { send } = log();
    send('c', 1, 1);
    send('c', 2, 2);
    expect(send('c', 1, 1).result).toMatchObject({ type: 'refused', failure: { code: 'unknown-outcome' } });
  });

  it('does not take requests out of order for resent ones', () => {
    const { send } = log();
    send('c', 3, 1, 'client:3');
    expect(send('c', 2, 1, 'client:2').result).toEqual({ type: 'lock-waiting', position: 1 });
  });

  it('refuses a client it does not know that has confirmed answers before', () => {
    const { send } = log();
    expect(send('gone', 7, 5).result).toMatchObject({ failure: { code: 'unknown-outcome' } });
  });

  it('forgets the client unused for longest when there are too many', () => {
    const { state, send } = log();
    for (let at = 1; at < clientsMax; at++) send(`c${at}`, 1, 1);
    send('opener', 2, 2);
    send('new', 1, 1);
    expect(state.clients.size).toBe(clientsMax);
    expect(send('c1', 2, 2).result).toMatchObject({ failure: { code: 'unknown-outcome' } });
    expect(send('opener', 3, 3).result.type).not.toBe('refused');
  });

  it('bounds the results kept for one client, and survives a wild confirmation', () => {
    const { send } = log();
    for (let at = 1; at <= outstandingRequestsMax; at++) send('c', at, 1);
    expect(send('c', outstandingRequestsMax + 1, 1).result).toMatchObject({ failure: { code: 'limit-reached' } });
    expect(send('c', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).result.type).toBe('lock-granted');
  });
});
