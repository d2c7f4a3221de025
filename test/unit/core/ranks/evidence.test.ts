import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { Evidence } from '../../../../src-main/core/ranks/evidence.ts';
import { RankTable, type RankMove } from '../../../../src-main/core/ranks/rank-table.ts';

const [self, present, absent] = [nodeId('self'), nodeId('present'), nodeId('absent')];
const minuteMs = 60_000;
const days = (count: number): number => count * 24 * 60 * minuteMs;

/** Looks once a minute for so long; answers the first moves that are proposed after it. */
function watch(evidence: Evidence, forMs: number, ranks = new RankTable()): readonly RankMove[] {
  evidence.begin(instant(0));
  for (let ms = minuteMs; ms <= forMs; ms += minuteMs) {
    evidence.look(instant(ms), [present, absent], (node) => node === present, ranks);
  }
  return evidence.moves(instant(forMs), ranks, () => true);
}

describe('evidence about machines', () => {
  it('moves a machine that is always heard up by one band, and one that never is down, after some days', () => {
    expect(watch(new Evidence(self), days(1))).toEqual([]);
    expect(watch(new Evidence(self), days(6))).toEqual([
      { node: present, band: 3 },
      { node: absent, band: 1 },
    ]);
  });

  it('is proposed seldom', () => {
    const evidence = new Evidence(self);
    const ranks = new RankTable();
    expect(watch(evidence, days(6), ranks)).toHaveLength(2);
    expect(evidence.moves(instant(days(6) + minuteMs), ranks, () => true)).toEqual([]);
    expect(evidence.moves(instant(days(6) + 61 * minuteMs), ranks, () => true)).toHaveLength(2);
  });

  it('forgets machines that have left, and takes nothing from a time that it slept through', () => {
    const evidence = new Evidence(self);
    const ranks = new RankTable();
    evidence.begin(instant(0));
    evidence.look(instant(days(30)), [present, absent], () => false, ranks);
    expect(evidence.moves(instant(days(30)), ranks, () => true)).toEqual([]);
    const other = new Evidence(self);
    watch(other, days(6), ranks);
    expect(other.moves(instant(days(7)), ranks, (node) => node === present)).toEqual([{ node: present, band: 3 }]);
  });

  it('counts the coordinator itself once it has been awake for a whole day, through changes of voters', () => {
    const risesAfter = (sleeps: boolean): boolean => {
      const evidence = new Evidence(self);
      const ranks = new RankTable();
      for (let day = 0; day < 8; day++) {
        if (sleeps) evidence.forget();
        evidence.begin(instant(days(day)));
        for (let ms = minuteMs; ms <= days(1); ms += minuteMs)
          evidence.look(instant(days(day) + ms), [self], () => true, ranks);
      }
      return evidence.moves(instant(days(9)), ranks, () => true).length > 0;
    };
    expect(risesAfter(false)).toBe(true);
    expect(risesAfter(true)).toBe(false);
  });

  it('goes on in the next office, unless it began after a while', () => {
    const movesWith = (pauseMs: number): number => {
      const evidence = new Evidence(self);
      const ranks = new RankTable();
      for (let day = 0; day < 6; day++) {
        const from = days(day) + day * pauseMs;
        evidence.begin(instant(from));
        for (let ms = minuteMs; ms <= days(1); ms += minuteMs)
          evidence.look(instant(from + ms), [present], () => true, ranks);
      }
      return evidence.moves(instant(days(7)), ranks, () => true).length;
    };
    expect(movesWith(1_000)).toBe(1);
    expect(movesWith(2 * minuteMs)).toBe(0);
  });
});
