import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { Evidence } from '../../../../src-main/core/ranks/evidence.ts';
import { RankTable, type RankMove } from '../../../../src-main/core/ranks/rank-table.ts';

const [present, absent] = [nodeId('present'), nodeId('absent')];
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
    expect(watch(new Evidence(), days(1))).toEqual([]);
    expect(watch(new Evidence(), days(6))).toEqual([
      { node: present, band: 3 },
      { node: absent, band: 1 },
    ]);
  });

  it('is proposed seldom', () => {
    const evidence = new Evidence();
    const ranks = new RankTable();
    expect(watch(evidence, days(6), ranks)).toHaveLength(2);
    expect(evidence.moves(instant(days(6) + minuteMs), ranks, () => true)).toEqual([]);
    expect(evidence.moves(instant(days(6) + 61 * minuteMs), ranks, () => true)).toHaveLength(2);
  });

  it('forgets machines that have left, and takes nothing from a time that it slept through', () => {
    const evidence = new Evidence();
    const ranks = new RankTable();
    evidence.begin(instant(0));
    evidence.look(instant(days(30)), [present, absent], () => false, ranks);
    expect(evidence.moves(instant(days(30)), ranks, () => true)).toEqual([]);
    watch(evidence, days(6), ranks);
    expect(evidence.moves(instant(days(7)), ranks, (node) => node === present)).toEqual([{ node: present, band: 3 }]);
  });
});
