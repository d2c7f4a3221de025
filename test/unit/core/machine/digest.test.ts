import { describe, expect, it } from 'vitest';
import { digestOf, digestVersion, murmur128 } from '../../../../src-main/core/machine/digest.ts';

function ofText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const words = new Int32Array(Math.ceil(bytes.length / 4) + 1);
  for (const [at, byte] of bytes.entries()) words[at >> 2] = (words[at >> 2] ?? 0) | (byte << (8 * (at & 3)));
  return murmur128(words, bytes.length);
}

describe('a digest', () => {
  it('is MurmurHash3 with 128 bits for 32-bit machines, by values published for it', () => {
    expect(ofText('')).toBe('0'.repeat(32));
    expect(ofText("I will not buy this tobacconist's, it is scratched.")).toBe('9b5b7ba2ef3f7866889adeaf00f3f98e');
    expect(ofText('The quick brown fox jumps over the lazy dog')).toBe('2f1583c3ecee2c675d7bf66ce5e91d2c');
  });

  it('is the same for equal values, whatever the order of their properties', () => {
    expect(digestOf({ a: 1, b: { c: [true, null], d: 'x' } })).toBe(digestOf({ b: { d: 'x', c: [true, null] }, a: 1 }));
    expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`key${at}`, at]));
    const reversed = Object.fromEntries(Object.entries(many).reverse());
    expect(digestOf(reversed)).toBe(digestOf(many));
  });

  it('tells values apart that look alike', () => {
    const values = [
      null,
      false,
      0,
      '',
      '0',
      [],
      {},
      [[]],
      [null],
      ['', ''],
      ['a', 'b'],
      ['ab'],
      ['ab', ''],
      { a: null },
      { a: {} },
      [{}, { b: 1 }],
      [{ b: 1 }, {}],
      1,
      -1,
      0.5,
      2 ** 31,
      2 ** 32,
      2 ** 53 - 1,
      'é',
      'e\u0301',
      '😀',
    ];
    expect(new Set(values.map((value) => digestOf(value))).size).toBe(values.length);
  });

  it('changes wherever one character or number of a large value changes', () => {
    const large = (at: number): unknown =>
      Array.from({ length: 3_000 }, (_, index) => ({ index, text: index === at ? 'other' : 'text' }));
    expect(new Set([-1, 0, 1_500, 2_999].map((at) => digestOf(large(at)))).size).toBe(4);
  });

  it('lays out a known value in a known way: who must change this value raises the version of digests, too', () => {
    const value = [1, 'text', { list: [null, true], number: 1.5 }];
    expect([digestVersion, digestOf(value)]).toEqual([2, '196b1e7d3b45fb41a91afcb1f3d8cc92']);
  });
});
