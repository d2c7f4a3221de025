import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutants } from './mutants/mutants.ts';
import { simulate } from './world.ts';

interface FoundSeed {
  readonly seed: number;
  readonly found: string;
}

const root = new URL('../../', import.meta.url);
const foundSeeds = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as readonly FoundSeed[];

describe('the simulated swarm', () => {
  it.each([3, 8, 23, 31])('holds every invariant in the world of seed %i', (seed) => {
    expect(simulate(seed).violation).toBeNull();
  });

  it.each(foundSeeds)('holds in the world of seed $seed, which once found: $found', ({ seed }) => {
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
