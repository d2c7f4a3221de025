import { describe, expect, it } from 'vitest';
import { nodeId, slot } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { Attendance } from '../../../../src-main/core/membership/attendance.ts';

const b = nodeId('b');
const gapMs = 1_000;
const answer = (committed: number, incarnation = 'b1') => ({ committed: slot(committed), incarnation });

function attendance(): Attendance {
  const kept = new Attendance(gapMs);
  kept.begin(instant(0));
  return kept;
}

describe('attendance', () => {
  it('counts the time from the first answer to the latest, without a gap', () => {
    const kept = attendance();
    for (const at of [100, 900, 1_800]) kept.note(instant(at), b, answer(7));
    expect(kept.steadyMs(instant(2_000), b)).toBe(1_700);
    expect(kept.heard(instant(2_000))).toEqual([{ node: b, committed: 7, incarnation: 'b1', steadyMs: 1_700 }]);
  });

  it('does not settle a machine that answered once and is only not yet missed', () => {
    const kept = attendance();
    kept.note(instant(100), b, answer(1));
    expect(kept.steadyMs(instant(1_000), b)).toBe(0);
  });

  it('begins anew after a gap and after a closed connection', () => {
    const kept = attendance();
    kept.note(instant(100), b, answer(1));
    kept.note(instant(2_000), b, answer(1));
    expect(kept.steadyMs(instant(2_000), b)).toBe(0);
    kept.note(instant(2_500), b, answer(1));
    kept.forget(b);
    expect(kept.steadyMs(instant(2_500), b)).toBeNull();
    kept.note(instant(2_600), b, answer(1));
    expect(kept.steadyMs(instant(2_600), b)).toBe(0);
  });

  it('begins anew with another state directory', () => {
    const kept = attendance();
    kept.note(instant(100), b, answer(1));
    kept.note(instant(500), b, answer(1, 'b2'));
    kept.note(instant(600), b, answer(1, 'b2'));
    expect(kept.steadyMs(instant(600), b)).toBe(100);
  });

  it('counts absence from the last answer, or from the beginning of the office', () => {
    const kept = attendance();
    expect(kept.absentMs(instant(5_000), b)).toBe(5_000);
    kept.note(instant(6_000), b, answer(1));
    expect(kept.absentMs(instant(6_500), b)).toBe(0);
    expect(kept.absentMs(instant(9_000), b)).toBe(3_000);
  });

  it('knows no progress of a machine that is not heard', () => {
    const kept = attendance();
    kept.note(instant(100), b, answer(3));
    expect(kept.heard(instant(2_000))).toEqual([]);
    expect([...kept.progress]).toEqual([[b, 3]]);
    kept.forget(b);
    expect([...kept.progress]).toEqual([]);
  });
});
