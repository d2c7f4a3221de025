import { afterEach, expect, it } from 'vitest';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

it('skein consensus status says who leads, what may fail, and what happened', async () => {
  cli = await cliHarness({});
  const { code, out } = await cli.skein(['consensus', 'status']);
  expect(code).toBe(0);
  expect(out).toContain('round 3, rank 100, by anna');
  expect(out).toContain('One of 3 voters may be off');
  expect(out).toContain('anna coordinates: no voter of higher rank answered');
});

it('skein consensus members lists voters and learners with lag and disk', async () => {
  cli = await cliHarness({});
  const { out } = await cli.skein(['consensus', 'members']);
  expect(out).toMatch(/berta\s+voter\s+yes\s+480\s+20\s+0\.80 ms\s+4\.00 ms/);
  const json: unknown = JSON.parse((await cli.skein(['consensus', 'members', '--json'])).out);
  expect(json).toMatchObject({ kind: 'ReplicaList', items: [{ lagEntries: 20, sync: { p99Seconds: 0.004 } }] });
});

it('skein consensus log prints the end of the log, oldest first', async () => {
  cli = await cliHarness({});
  const { out } = await cli.skein(['consensus', 'log', '--last', '2']);
  expect(out.indexOf('499')).toBeLessThan(out.indexOf('500'));
  expect(out).toContain('refused: the lock is held');
});
