import { describe, expect, it } from 'vitest';
import { simulate } from './world.ts';

describe('a household whose home base is always on', () => {
  it.each([false, true])(
    'is coordinated practically always (nobody says goodbye: %s)',
    (silent) => {
      const { violation, household } = simulate(1, false, { name: 'always-on box and three laptops', days: 1, silent });
      expect(violation).toBeNull();
      const { coordinatedMs, someoneAwakeMs } = household ?? { coordinatedMs: 0, someoneAwakeMs: 1 };
      expect(coordinatedMs / someoneAwakeMs).toBeGreaterThanOrEqual(0.999);
    },
    240_000,
  );
});
