import { describe, expect, it } from 'vitest';
import { slot } from '../../../../shared/domain/ids.ts';
import { entriesPerCheckpoint } from '../../../../src-main/core/machine/limits.ts';
import type { Snapshot } from '../../../../src-main/core/paxos/facts.ts';
import { newChain, type LogChain } from '../../../../src-main/core/paxos/log-chain.ts';
import { SlotLog } from '../../../../src-main/core/paxos/slot-log.ts';

const snapshotAt = (at: number, chain: LogChain | null): Snapshot => ({
  slot: slot(at),
  config: { epoch: 0, id: 1, firstSlot: slot(1), voters: [], cuts: [] },
  state: '',
  chain,
});

function logWith(payloads: readonly string[], from = snapshotAt(0, newChain(slot(0)))): SlotLog<string> {
  const log = new SlotLog<string>();
  log.install(from);
  for (const payload of payloads) log.commit({ type: 'payload', payload });
  return log;
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `entry ${from + at}`);

describe('the chain of a log', () => {
  it('is the same for the same entries, and another one for one that differs, is missing or changed places', () => {
    const { chain } = logWith(['a', 'b', 'c']);
    expect(logWith(['a', 'b', 'c']).chain).toEqual(chain);
    for (const other of [
      ['a', 'x', 'c'],
      ['a', 'c'],
      ['b', 'a', 'c'],
      ['a', 'b', 'c', 'c'],
    ]) {
      expect(logWith(other).chain.link).not.toBe(chain.link);
    }
  });

  it('goes on from the chain of a snapshot', () => {
    const whole = logWith(['a', 'b', 'c', 'd']);
    const half = logWith(['a', 'b']);
    expect(logWith(['c', 'd'], snapshotAt(2, half.chain)).chain).toEqual(whole.chain);
  });

  it('begins anew behind a snapshot without one, and behind one of another program', () => {
    const before = logWith(['a', 'b']).chain;
    for (const chain of [null, { ...before, version: before.version + 1 }]) {
      const log = logWith(['c'], snapshotAt(2, chain));
      expect(log.chain.origin).toBe(2);
      expect(log.chain.link).not.toBe(logWith(['a', 'b', 'c']).chain.link);
    }
  });

  it('is remembered at the slots where machines compare', () => {
    const log = logWith(numbered(1, 2 * entriesPerCheckpoint + 1));
    const short = logWith(numbered(1, entriesPerCheckpoint));
    expect(log.chainAt(slot(entriesPerCheckpoint))).toEqual(short.chain);
    expect(log.chainAt(slot(entriesPerCheckpoint + 1))).toBeUndefined();
  });

  it('is taken over from a machine whose chain goes further back, and goes on to the end of the own log', () => {
    const at = slot(entriesPerCheckpoint);
    const whole = logWith(numbered(1, entriesPerCheckpoint + 3));
    const late = logWith(numbered(11, entriesPerCheckpoint + 3), snapshotAt(10, null));
    const known = whole.chainAt(at);
    expect(known && late.adoptChain(at, known)).toBe(true);
    expect(late.chain).toEqual(whole.chain);
    expect(late.chainAt(at)).toEqual(known);
  });

  it('is not taken over from one that goes less far back, or where the entries since are not kept', () => {
    const at = slot(entriesPerCheckpoint);
    const whole = logWith(numbered(1, entriesPerCheckpoint + 3));
    const late = logWith(numbered(11, entriesPerCheckpoint + 3), snapshotAt(10, null));
    expect(whole.adoptChain(at, late.chainAt(at) ?? whole.chain)).toBe(false);
    const later = logWith(['x'], snapshotAt(entriesPerCheckpoint + 2, null));
    expect(later.adoptChain(at, whole.chainAt(at) ?? whole.chain)).toBe(false);
  });
});
