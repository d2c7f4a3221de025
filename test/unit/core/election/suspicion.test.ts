import { describe, expect, it } from 'vitest';
import { suspectMaxMs, suspectMinMs, Suspicion } from '../../../../src-main/core/election/suspicion.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { lanTiming } from '../../../../src-main/core/machine/timing.ts';

/** A coordinator heard after each of these pauses; answers what is then thought of its silence. */
function after(pausesMs: readonly number[]): { readonly suspicion: Suspicion; readonly now: number } {
  const suspicion = new Suspicion(lanTiming);
  let now = 1_000;
  suspicion.heard(instant(now));
  for (const pauseMs of pausesMs) {
    now += pauseMs;
    suspicion.heard(instant(now));
  }
  return { suspicion, now };
}

const thrice = (pauses: readonly number[]): number[] => Array.from({ length: 30 }, () => pauses).flat();

describe('the silence that raises suspicion', () => {
  it('is the default until some pauses have been seen', () => {
    const { suspicion, now } = after([300, 300]);
    expect(suspicion.afterMs(instant(now))).toBe(lanTiming.suspectMs);
  });

  it('is as short as allowed where signs of life come regularly', () => {
    const { suspicion, now } = after(thrice([300]));
    expect(suspicion.afterMs(instant(now))).toBe(suspectMinMs);
  });

  it('grows with the spread of the pauses, up to a bound', () => {
    const { suspicion, now } = after(thrice([150, 900]));
    const spread = suspicion.afterMs(instant(now));
    expect(spread).toBeGreaterThan(1_500);
    expect(spread).toBeLessThan(3_000);
    const wild = after(thrice([200, 4_900]));
    expect(wild.suspicion.afterMs(instant(wild.now))).toBe(suspectMaxMs);
  });

  it('is not shortened by signs of life in quick succession, which tell nothing about a calm network', () => {
    const calm = after(thrice([300, 600]));
    const busy = after(thrice([300, 600, ...Array.from({ length: 20 }, () => 1)]));
    const difference = calm.suspicion.afterMs(instant(calm.now)) - busy.suspicion.afterMs(instant(busy.now));
    expect(Math.abs(difference)).toBeLessThan(150);
  });

  it('doubles for a while after this node was itself late', () => {
    const { suspicion, now } = after(thrice([300]));
    suspicion.ranLate(instant(now));
    expect(suspicion.afterMs(instant(now + 2_900))).toBe(2 * suspectMinMs);
    expect(suspicion.afterMs(instant(now + 3_000))).toBe(suspectMinMs);
  });

  it('starts anew with another coordinator', () => {
    const { suspicion, now } = after(thrice([200, 4_900]));
    suspicion.forget();
    expect(suspicion.afterMs(instant(now))).toBe(lanTiming.suspectMs);
  });
});
