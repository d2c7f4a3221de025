import { describe, expect, it } from 'vitest';
import { nodeId, wallTime, type NodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { Evidence } from '../../../../src-main/core/ranks/evidence.ts';
import { RankTable } from '../../../../src-main/core/ranks/rank-table.ts';

const [self, present, absent] = [nodeId('self'), nodeId('present'), nodeId('absent')];
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const epoch = 1_800_000_000_000;

/** Awake from one hour to another, it looks every ten minutes; `others` says who is connected. */
function watch(evidence: Evidence, from: number, to: number, others: (hour: number) => readonly NodeId[]): void {
  evidence.woke();
  for (let ms = from * hourMs; ms < to * hourMs; ms += 10 * minuteMs)
    evidence.look(instant(ms), wallTime(epoch + ms), others(Math.floor(ms / hourMs)));
}

const hours = (evidence: Evidence): number[] =>
  [self, present, absent].map((node) => Number(evidence.hoursOf(node).toFixed(1)));

describe('evidence about machines', () => {
  it('counts the hours in which it was awake, and those in which it met another', () => {
    const evidence = new Evidence(self);
    watch(evidence, 0, 10, (hour) => (hour < 6 ? [present] : []));
    expect(hours(evidence)).toEqual([9.9, 5.9, 0]);
  });

  it('says nothing before it has seen two hours', () => {
    const evidence = new Evidence(self);
    watch(evidence, 0, 2, () => [present]);
    expect(hours(evidence)).toEqual([0, 0, 0]);
  });

  it('takes no connection for a meeting that may be from before it slept', () => {
    const evidence = new Evidence(self);
    watch(evidence, 0, 10, () => []);
    evidence.woke();
    for (let ms = 0; ms < 20_000; ms += 250)
      evidence.look(instant(10 * hourMs + ms), wallTime(epoch + 10 * hourMs + ms), [present]);
    expect(evidence.hoursOf(present)).toBe(0);
    evidence.look(instant(10 * hourMs + 20_000), wallTime(epoch + 10 * hourMs + 20_000), [present]);
    expect(evidence.hoursOf(present)).toBe(1);
  });

  it('forgets in weeks', () => {
    const evidence = new Evidence(self);
    watch(evidence, 0, 10, () => [present]);
    watch(evidence, 14 * 24, 14 * 24 + 10, () => []);
    expect(evidence.hoursOf(present)).toBeCloseTo(10 / Math.E, 0);
  });

  it('judges nobody before it has seen twelve hours', () => {
    const movesAfter = (until: number): number => {
      const evidence = new Evidence(self);
      watch(evidence, 0, until, () => [present]);
      return evidence.moves(new RankTable(), [present]).length;
    };
    expect([movesAfter(12), movesAfter(13)]).toEqual([0, 1]);
  });

  it('moves by one band, once an hour, whom it meets nearly always up and whom it never meets down', () => {
    const evidence = new Evidence(self);
    const ranks = new RankTable();
    watch(evidence, 0, 20, () => [present]);
    const moves = [
      { node: present, band: 3 },
      { node: absent, band: 1 },
    ];
    expect(evidence.moves(ranks, [self, present, absent])).toEqual(moves);
    expect(evidence.moves(ranks, [self, present, absent])).toEqual([]);
    watch(evidence, 20, 21, () => [present]);
    expect(evidence.moves(ranks, [self, present, absent])).toEqual(moves);
  });

  it('leaves a machine in its band that is not clearly beyond it', () => {
    const evidence = new Evidence(self);
    watch(evidence, 0, 100, (hour) => (hour % 10 < 6 ? [present] : []));
    expect(evidence.moves(new RankTable(), [present])).toEqual([]);
  });

  it('moves itself up when it has been awake around the clock for a day, and never down', () => {
    const movesOf = (until: number, awake: number): number[] => {
      const evidence = new Evidence(self);
      for (let day = 0; 24 * day < until; day++) watch(evidence, 24 * day, 24 * day + awake, () => []);
      return evidence.moves(new RankTable(), [self]).map(({ band }) => band);
    };
    expect(movesOf(24, 23)).toEqual([]);
    expect(movesOf(72, 24)).toEqual([3]);
    expect(movesOf(72, 8)).toEqual([]);
  });
});
