import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutants } from './mutants/mutants.ts';
import { simulate } from './world.ts';

const root = new URL('../../', import.meta.url);

describe('the simulated swarm', () => {
  it.each([3, 8, 23, 31])('holds every invariant in the world of seed %i', (seed) => {
    expect(simulate(seed).violation).toBeNull();
  });

  it('takes the same course again for the same seed', () => {
    const [first, second] = [simulate(5), simulate(5)];
    expect(second).toEqual(first);
    expect(first.lines).toBeGreaterThan(1_000);
  });
});

describe('the mutants', () => {
  it.each(mutants)('$name finds the piece of source that it replaces, once', ({ file, original }) => {
    expect(readFileSync(new URL(file, root), 'utf8').split(original).length).toBe(2);
  });
});
