import { describe, expect, it } from 'vitest';
import type { Transition } from './household.ts';
import { bestPossible } from './oracle.ts';

const hour = 3_600_000;
const at = (hours: number, machine: number, awake: boolean): Transition => ({ atMs: hours * hour, machine, awake });

describe('the best that could be coordinated', () => {
  it('is everything where machines take turns and always meet', () => {
    const turns = [at(0, 0, true), at(10, 1, true), at(12, 0, false), at(20, 0, true), at(22, 1, false)];
    expect(bestPossible(turns, 1, 1)).toBe(24 * hour);
  });

  it('loses the shorter stretch where two machines never meet', () => {
    const apart = [at(0, 0, true), at(8, 0, false), at(10, 1, true), at(15, 1, false)];
    expect(bestPossible(apart, 1, 1)).toBe(8 * hour);
  });

  it('counts the time in which two are awake apart from the rest', () => {
    const meeting = [at(0, 0, true), at(8, 1, true), at(10, 0, false), at(15, 1, false)];
    expect(bestPossible(meeting, 1, 2)).toBe(2 * hour);
  });
});
