import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinCommandLine, quoteArgument, splitCommandLine } from '../../../src-renderer/format/argv.ts';
import { submitCommandLine } from '../../../src-renderer/format/command-line.ts';

const printable = fc.string({ unit: 'grapheme', maxLength: 24 }).filter((text) => !text.includes('\0'));

describe('a command edited as one line', () => {
  test('is split by shell quotes, and nothing else of the shell', () => {
    expect(splitCommandLine(`ffmpeg -i {file} 'two words' "a \\"b\\"" one\\ word $HOME *.png ''`)).toEqual({
      ok: true,
      argv: ['ffmpeg', '-i', '{file}', 'two words', 'a "b"', 'one word', '$HOME', '*.png', ''],
    });
  });

  test('says which quote is open instead of guessing', () => {
    expect(splitCommandLine(`echo 'open`)).toEqual({ ok: false, message: `The ' at character 6 is never closed.` });
    expect(splitCommandLine('echo "open')).toEqual({ ok: false, message: 'The " at character 6 is never closed.' });
    expect(splitCommandLine('echo \\')).toEqual({ ok: false, message: 'The line ends with a lone backslash.' });
  });

  test('comes back whole after joining and splitting, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(printable, { maxLength: 6 }), (argv) => {
        expect(splitCommandLine(joinCommandLine(argv))).toEqual({ ok: true, argv });
      }),
    );
  });

  test.skipIf(process.platform === 'win32')('is read back the same by a real POSIX shell', () => {
    const awkward = ['plain', '', "it's", '$HOME `id` $(id)', '*.png', 'a\nb', '--flag', '~', 'å "q" \\'];
    const read = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${joinCommandLine(awkward)}`], { encoding: 'utf8' });
    expect(read.split('\0').slice(0, -1)).toEqual(awkward);
  });
});

describe('the command line of a submission', () => {
  test('names only what differs from the defaults', () => {
    expect(
      submitCommandLine({ argv: ['make'], each: { type: 'once' }, retries: 0, slots: 1, policy: 'least-loaded' }),
    ).toBe('skein submit -- make');
  });

  test('carries every part of the form', () => {
    const line = submitCommandLine({
      name: 'Holiday photos',
      argv: ['cwebp', '{file}', '-o', '{stem}.webp'],
      env: { LANG: 'C', NOTE: 'a b' },
      cwd: '/home/ada/photos',
      inputs: ['settings.json'],
      each: { type: 'files', globs: ['*.png', 'more/*.png'] },
      outputs: ['{stem}.webp'],
      outputFolder: '/out',
      lock: 'disk',
      retries: 2,
      timeoutMs: 90_000,
      on: 'render-box',
      policy: 'round-robin',
      slots: 4,
    });
    expect(line).toBe(
      "skein submit --each-file '*.png' --each-file 'more/*.png' --name 'Holiday photos' --cwd /home/ada/photos --env LANG=C --env 'NOTE=a b' --input settings.json --output '{stem}.webp' --into /out --on render-box --policy round-robin --slots 4 --lock disk --retries 2 --timeout 90s -- cwebp '{file}' -o '{stem}.webp'",
    );
  });

  test('sends lines through standard input, and many of them from a file', () => {
    const each = (lines: string[]) => submitCommandLine({ argv: ['echo', '{line}'], each: { type: 'lines', lines } });
    expect(each(['one', "it's two"])).toBe(
      `printf '%s\\n' one 'it'\\''s two' | skein submit --each-line - -- echo '{line}'`,
    );
    expect(each(Array.from({ length: 13 }, () => 'x'))).toBe(`skein submit --each-line lines.txt -- echo '{line}'`);
  });

  test('writes ranges with their step, and joins values that look like flags', () => {
    expect(submitCommandLine({ argv: ['x'], each: { type: 'range', from: 1, to: 100, step: 2 } })).toBe(
      'skein submit --array 1-100:2 -- x',
    );
    expect(submitCommandLine({ argv: ['x'], lock: '-odd' })).toBe('skein submit --lock=-odd -- x');
    expect(quoteArgument('')).toBe("''");
  });
});
