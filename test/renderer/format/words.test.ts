import { describe, expect, test } from 'vitest';
import { ansiSpans, withoutAnsi } from '../../../src-renderer/format/ansi.ts';
import { formatBytes, formatCount } from '../../../src-renderer/format/bytes.ts';
import { initials, nameList, shortId } from '../../../src-renderer/format/names.ts';
import { durationFlag, formatAge, formatAgo, formatDuration } from '../../../src-renderer/format/time.ts';

describe('times', () => {
  test('durations show their two largest units', () => {
    expect([0, 0.4, 240, 4_210, 59_900, 185_000, 7_800_000, 100 * 3_600_000].map(formatDuration)).toEqual([
      '0 s',
      '0.4 ms',
      '240 ms',
      '4.2 s',
      '59 s',
      '3 min 5 s',
      '2 h 10 min',
      '4 d 4 h',
    ]);
  });

  test('ages are whole seconds and never negative', () => {
    expect([0, 999, 4_800, 61_000].map(formatAge)).toEqual(['0 s', '0 s', '4 s', '1 min 1 s']);
    expect([formatAgo(10_000, 5_000), formatAgo(0, 31_000), formatAgo(0, 251_000)]).toEqual([
      'just now',
      '31 s ago',
      '4 min ago',
    ]);
  });

  test('a duration for the command line is exact in the largest unit that divides it', () => {
    expect([3_600_000, 90_000, 5_400_000, 1_500].map(durationFlag)).toEqual(['1h', '90s', '90m', '1500ms']);
  });
});

describe('sizes and names', () => {
  test('sizes carry their unit', () => {
    expect([0, 512, 1_024, 1_288_490_189, 250 * 1_024].map(formatBytes)).toEqual([
      '0 B',
      '512 B',
      '1 KiB',
      '1.2 GiB',
      '250 KiB',
    ]);
  });

  test('counts agree with their noun', () => {
    expect([formatCount(1, 'task'), formatCount(1_204, 'task')]).toEqual(['1 task', '1,204 tasks']);
  });

  test('machines are shortened so that one still tells them apart', () => {
    expect([initials('studio-mac'), initials('attic'), initials('--')]).toEqual(['SM', 'AT', '?']);
    expect(shortId('12D3KooWQk7vZ4mJr2uX')).toBe('12D3Ko…mJr2uX');
    expect([nameList([]), nameList(['a', 'b']), nameList(['a', 'b', 'c', 'd'])]).toEqual([
      '',
      'a and b',
      'a, b and 2 more',
    ]);
  });
});

describe('terminal colours', () => {
  test('become spans, and every other control sequence is dropped', () => {
    expect(ansiSpans('\u001b[1;31merror\u001b[0m: \u001b[2Kno \u001b]0;title\u0007file')).toEqual([
      { text: 'error', colour: 1, bold: true },
      { text: ': ', colour: null, bold: false },
      { text: 'no ', colour: null, bold: false },
      { text: 'file', colour: null, bold: false },
    ]);
  });

  test('search sees the text without them', () => {
    expect(withoutAnsi('\u001b[38;5;1mke\u001b[0my')).toBe('key');
  });

  test('markup in output stays text', () => {
    expect(ansiSpans('<script>alert(1)</script>')).toEqual([
      { text: '<script>alert(1)</script>', colour: null, bold: false },
    ]);
  });
});
