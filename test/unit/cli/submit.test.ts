import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
let submitted: unknown;
beforeAll(async () => {
  cli = await cliHarness({
    tasks: {
      submit: async (input) => {
        submitted = input;
        return { job: 81, taskCount: 3, inputBytes: 2_048 };
      },
    },
  });
});
afterAll(() => cli.stop());
beforeEach(() => {
  submitted = null;
});

describe('skein submit', () => {
  it('prints the id alone on standard output', async () => {
    expect(await cli.skein(['submit', '--', 'true'])).toMatchObject({ code: 0, out: '81\n' });
  });

  it('hands over every flag', async () => {
    const flags = [
      ...[
        '--name',
        'squeeze',
        '--env',
        'A=1',
        '--env',
        'B=x=y',
        '--input',
        'lib',
        '--input',
        'data',
        '--output',
        '{name}.gz',
      ],
      ...[
        '--into',
        'out',
        '--lock',
        'gpu',
        '--retries',
        '2',
        '--timeout',
        '1h30m',
        '--on',
        'berta',
        '--policy',
        'round-robin',
        '--slots',
        '2',
      ],
      ...['--array', '1-100:2'],
    ];
    await cli.skein(['submit', ...flags, '--', 'gzip', '--best', '--json', '{index}']);
    expect(submitted).toEqual({
      name: 'squeeze',
      argv: ['gzip', '--best', '--json', '{index}'],
      env: { A: '1', B: 'x=y' },
      cwd: cli.home,
      inputs: ['lib', 'data'],
      outputs: ['{name}.gz'],
      outputFolder: join(cli.home, 'out'),
      each: { type: 'range', from: 1, to: 100, step: 2 },
      lock: 'gpu',
      retries: 2,
      timeoutMs: 5_400_000,
      on: 'berta',
      policy: 'round-robin',
      slots: 2,
    });
  });

  it('takes several globs after one --each-file', async () => {
    await cli.skein(['submit', '--each-file', 'a/*.txt', 'b/*.txt', '--', 'wc', '{file}']);
    expect(submitted).toMatchObject({ each: { type: 'files', globs: ['a/*.txt', 'b/*.txt'] } });
  });

  it('reads lines from a file and from standard input', async () => {
    await writeFile(join(cli.home, 'lines.txt'), 'one\r\ntwo words\n\n');
    await cli.skein(['submit', '--each-line', 'lines.txt', '--', 'echo', '{line}']);
    expect(submitted).toMatchObject({ each: { type: 'lines', lines: ['one', 'two words'] } });
    await cli.skein(['submit', '--each-line', '-', '--', 'echo', '{line}'], 'three\nfour');
    expect(submitted).toMatchObject({ each: { type: 'lines', lines: ['three', 'four'] } });
  });

  it('leaves the command after -- untouched, even another --', async () => {
    await cli.skein(['submit', '--', 'git', 'log', '--', 'file', '--wait']);
    expect(submitted).toMatchObject({ argv: ['git', 'log', '--', 'file', '--wait'] });
  });

  it('submits nothing when a flag is wrong', async () => {
    await cli.skein(['submit', '--retries', '1000', '--', 'true']);
    expect(submitted).toBeNull();
  });
});
