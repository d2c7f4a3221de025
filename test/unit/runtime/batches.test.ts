import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inBatches } from '../../../src-main/runtime/batches.ts';

/** The callback that is running ends, and then the turn. */
async function endOfTurn(): Promise<void> {
  await Promise.resolve();
  await nextTurn();
}

function collector() {
  const passed: (readonly number[])[] = [];
  return { passed, hand: inBatches<number>((items) => passed.push(items)) };
}

it('passes on together, in order, what several callbacks of one turn hand over', async () => {
  const { passed, hand } = collector();
  hand(1);
  await Promise.resolve();
  hand(2);
  expect(passed).toEqual([]);
  await endOfTurn();
  expect(passed).toEqual([[1, 2]]);
});

it('passes a lone item on by itself, turn after turn', async () => {
  const { passed, hand } = collector();
  for (const item of [1, 2]) {
    hand(item);
    await endOfTurn();
  }
  expect(passed).toEqual([[1], [2]]);
});

it('passes many on without waiting for the end of the turn, and whatever follows them after it', async () => {
  const { passed, hand } = collector();
  const many = [1, 2, 3, 4, 5];
  hand(0);
  await Promise.resolve();
  for (const item of many) hand(item);
  await Promise.resolve();
  expect(passed).toEqual([[0, ...many]]);
  hand(6);
  await endOfTurn();
  expect(passed).toEqual([[0, ...many], [6]]);
});
