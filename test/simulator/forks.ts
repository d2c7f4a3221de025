import { seededRandom, type Random } from '../../src-main/core/machine/random.ts';

/** FNV-1a, 32 bits, over UTF-16 units. */
export function fnv1a(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** One seed, many independent streams: adding a draw to one concern does not shuffle the others. */
export class Forks {
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  named(name: string): Random {
    return seededRandom(this.seedOf(name));
  }

  seedOf(name: string): number {
    return fnv1a(`${this.#seed}/${name}`) * 2_097_152 + (fnv1a(`${name}/${this.#seed}`) >>> 11);
  }
}

export const between = (random: Random, low: number, high: number): number => low + random.next() * (high - low);

export const chance = (random: Random, probability: number): boolean => random.next() < probability;

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Short more often than long. */
export const exponential = (random: Random, mean: number): number => -Math.log(1 - random.next()) * mean;
