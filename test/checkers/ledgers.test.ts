import { describe, expect, it } from 'vitest';
import type { Operation } from './history.ts';
import { AckLedger } from './ack-ledger.ts';
import { checkEffects, checkTenures, type Tenure } from './fencing.ts';
import { checkWitness } from './witness.ts';

const held = (client: string, token: number, start: number, end: number | null): Tenure => ({
  resource: 'lock',
  client,
  token,
  start,
  end,
});

describe('the timeline of a lock', () => {
  it('is fine when one follows the other', () => {
    expect(checkTenures([held('b', 2, 11, 20), held('a', 1, 0, 10)], { exclusive: true })).toEqual([]);
  });

  it('shows two holders at once, where nobody can be asleep', () => {
    const timeline = [held('a', 1, 0, 10), held('b', 2, 9, 20)];
    expect(checkTenures(timeline, { exclusive: true })).toHaveLength(1);
    expect(checkTenures(timeline, { exclusive: false })).toEqual([]);
  });

  it('shows a token that was given twice, and one that shrank', () => {
    expect(checkTenures([held('a', 1, 0, 10), held('b', 1, 11, 20)], { exclusive: true })[0]).toContain(
      'granted to a and to b',
    );
    expect(checkTenures([held('a', 7, 0, 10), held('b', 3, 11, 20)], { exclusive: false })).toHaveLength(1);
  });

  it('shows a resource that let a stale token write', () => {
    const write = (token: number, at: number, accepted = true) => ({
      resource: 'file',
      client: 'a',
      token,
      at,
      accepted,
    });
    expect(checkEffects([write(1, 0), write(2, 1), write(1, 2, false)])).toEqual([]);
    expect(checkEffects([write(1, 0), write(2, 1), write(1, 2)])).toHaveLength(1);
  });
});

describe('the ledger of acknowledgements', () => {
  it('names what is lost, doubled or completed twice', () => {
    const ledger = new AckLedger();
    for (const id of ['1', '2', '3']) ledger.acknowledge(id, 0);
    const found = (id: string, completions = 1) => ({ id, completions, state: 'succeeded' });
    expect(ledger.problems([found('1'), found('2', 0), found('3'), found('never acknowledged')])).toEqual([]);
    const problems = ledger.problems([found('1'), found('1'), found('2', 2)]);
    expect(problems).toHaveLength(3);
    expect(problems.join('; ')).toMatch(/1 is there 2 times.*3, acknowledged.*lost|3.*lost/);
  });
});

describe('the witness check', () => {
  const put = (index: number, value: string, start: number, end: number): Operation => ({
    client: 'a',
    kind: 'put',
    key: 'x',
    arguments: { value },
    result: {},
    start,
    end,
    index,
  });
  const get = (index: number, value: string | null, start: number, end: number): Operation => ({
    ...put(index, '', start, end),
    kind: 'get',
    arguments: {},
    result: { value },
  });

  it('replays replies in the order of their places', () => {
    expect(checkWitness([get(1, '1', 5, 6), put(2, '2', 0, 9), put(1, '1', 0, 3), get(2, '2', 7, 8)])).toEqual([]);
  });

  it('shows a reply that its place does not explain', () => {
    expect(checkWitness([put(1, '1', 0, 1), put(2, '2', 2, 3), get(2, '1', 4, 5)])).toHaveLength(1);
  });

  it('shows a read of an old place that began after a newer one was answered', () => {
    expect(checkWitness([put(1, '1', 0, 1), put(2, '2', 2, 3), get(1, '1', 4, 5)])).toHaveLength(1);
  });

  it('explains a reply by an unanswered write, once', () => {
    const lost: Operation = {
      client: 'b',
      kind: 'put',
      key: 'x',
      arguments: { value: '2' },
      result: null,
      start: 0,
      end: null,
    };
    expect(checkWitness([lost, put(1, '1', 1, 2), get(3, '2', 3, 4)])).toEqual([]);
    expect(
      checkWitness([lost, put(1, '1', 1, 2), get(3, '2', 3, 4), put(4, '1', 5, 6), get(5, '2', 7, 8)]),
    ).toHaveLength(1);
  });
});
