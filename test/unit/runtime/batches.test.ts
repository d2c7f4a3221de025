import { expect, it } from 'vitest';
import { inBatches } from '../../../src-main/runtime/batches.ts';

it('passes on together, in order, what one turn hands over, and a lone item by itself', async () => {
  const passed: (readonly number[])[] = [];
  const hand = inBatches<number>((items) => passed.push(items));
  hand(1);
  hand(2);
  expect(passed).toEqual([]);
  await Promise.resolve();
  expect(passed).toEqual([[1, 2]]);
  hand(3);
  await Promise.resolve();
  expect(passed).toEqual([[1, 2], [3]]);
});
