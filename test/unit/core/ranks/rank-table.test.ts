import { describe, expect, it } from 'vitest';
import { nodeId, slot, wallTime } from '../../../../shared/domain/ids.ts';
import { bandMovePauseMs, ranked, RankTable, topBand } from '../../../../src-main/core/ranks/rank-table.ts';
import { apply } from '../../../../src-main/core/state-machine/apply.ts';
import type { Command } from '../../../../src-main/core/state-machine/command.ts';
import { restoreSnapshot, takeSnapshot } from '../../../../src-main/core/state-machine/snapshot.ts';
import { createState } from '../../../../src-main/core/state-machine/state.ts';

const [anna, boris] = [nodeId('anna'), nodeId('boris')];
const at = wallTime(1_000_000_000);
const dayLater = wallTime(at + bandMovePauseMs);

describe('the rank of a machine', () => {
  it('moves by one band, and not again within a day', () => {
    const ranks = new RankTable();
    expect(ranks.move([{ node: anna, band: 4 }], at)).toEqual([]);
    expect(ranks.move([{ node: anna, band: 3 }], at)).toHaveLength(1);
    expect(ranks.move([{ node: anna, band: 4 }], wallTime(at + 1))).toEqual([]);
    expect(ranks.move([{ node: anna, band: 4 }], dayLater)).toHaveLength(1);
    expect(ranks.move([{ node: anna, band: topBand + 1 }], wallTime(dayLater + bandMovePauseMs))).toEqual([]);
    expect(ranks.rankOf(anna)).toBe(200);
  });

  it('is what the owner asks for as long as it is pinned, and the evidence goes on behind it', () => {
    const ranks = new RankTable();
    ranks.pin(anna, 'never');
    expect(ranks.rankOf(anna)).toBe(0);
    ranks.pin(anna, 'home-base');
    expect(ranks.rankOf(anna)).toBe(200);
    ranks.move([{ node: anna, band: 1 }], at);
    ranks.pin(anna, 'none');
    expect(ranks.rankOf(anna)).toBe(50);
  });

  it('is that of the seat where the log says nothing', () => {
    const ranks = new RankTable();
    ranks.pin(anna, 'home-base');
    const seats = [anna, boris].map((node) => ({ node, rank: 100 }));
    expect(ranked(seats, ranks).map(({ rank }) => rank)).toEqual([200, 100]);
  });

  it('is in the snapshot', () => {
    const state = createState();
    const commands: Command[] = [
      { type: 'rank-pinned', node: anna, pin: 'home-base', by: 'Anna' },
      { type: 'ranks-changed', moves: [{ node: boris, band: 1 }] },
    ];
    commands.forEach((command, index) => {
      const request = { client: 'anna#i1.1', sequence: index + 1, answeredBelow: 1, command };
      expect(apply(state, slot(index + 1), { request, at }).result).toEqual({ type: 'done' });
    });
    const text = takeSnapshot(state);
    const restored = restoreSnapshot(text);
    if (!restored.ok) throw new Error(restored.failure.message);
    expect(restored.value.ranks.rankOf(anna)).toBe(200);
    expect(restored.value.ranks.rankOf(boris)).toBe(50);
    expect(takeSnapshot(restored.value)).toBe(text);
  });
});
