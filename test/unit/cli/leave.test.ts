import { afterEach, expect, it, vi } from 'vitest';
import { exitCodes } from '../../../src-main/hosts/cli/exit-codes.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

it('skein leave does nothing unless it is confirmed, and says how a script does that', async () => {
  const leave = vi.fn(async () => ({ left: true }));
  cli = await cliHarness({ swarm: { leave } });
  const { code, err } = await cli.skein(['leave']);
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain('--yes');
  expect(leave).not.toHaveBeenCalled();
});

it('skein leave --yes leaves', async () => {
  const leave = vi.fn(async () => ({ left: true }));
  cli = await cliHarness({ swarm: { leave } });
  expect((await cli.skein(['leave', '--yes'])).code).toBe(exitCodes.done);
  expect(leave).toHaveBeenCalledOnce();
});
