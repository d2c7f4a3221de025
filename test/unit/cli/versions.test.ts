import { afterEach, expect, it } from 'vitest';
import { cliHarness, type CliHarness } from './cli-harness.ts';
import { framed, overview, peer } from '../api/fake-services.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

const versions = {
  level: 1,
  supports: 2,
  waitsFor: ['mini'],
  words: 'The swarm uses level 1 of 2: what the newest version brought waits until Skein is updated on mini.',
};

it('skein status and peer list say that machines run different versions, and which are waited for', async () => {
  cli = await cliHarness({
    swarm: { overview: async () => framed({ ...overview, versions }) },
    peers: { list: async () => framed({ peers: [peer, { ...peer, id: 'x', name: 'mini', version: '' }], versions }) },
  });
  expect((await cli.skein(['status'])).out).toContain(`versions     ${versions.words}`);
  const { out, err } = await cli.skein(['peer', 'list']);
  expect(out).toMatch(/VERSION\s+ACCEPTS[\s\S]*anna.*0\.1\.0[\s\S]*mini.*—/);
  expect(err).toContain(versions.words);
});

it('neither says so while all run the same', async () => {
  cli = await cliHarness({});
  expect((await cli.skein(['status'])).out).not.toContain('versions');
  expect((await cli.skein(['peer', 'list'])).err).not.toContain('level');
});

it('skein submit takes a priority, and none of another name', async () => {
  const asked: unknown[] = [];
  cli = await cliHarness({
    tasks: {
      submit: async ({ priority }) => {
        asked.push(priority);
        return { job: 81, taskCount: 1, inputBytes: 0 };
      },
    },
  });
  for (const flags of [['--priority', 'high'], ['--priority', 'normal'], []])
    expect((await cli.skein(['submit', ...flags, '--', 'true'])).code).toBe(0);
  expect(asked).toEqual(['high', undefined, undefined]);
  const { code, err } = await cli.skein(['submit', '--priority', 'best', '--', 'true']);
  expect(code).toBe(2);
  expect(err).toContain('high, normal, low');
});
