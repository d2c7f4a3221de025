import { afterEach, expect, it, vi } from 'vitest';
import { exitCodes } from '../../../src-main/hosts/cli/exit-codes.ts';
import { anna } from '../api/fake-services.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

it('skein peer pin says what a machine is wanted as, by its id', async () => {
  const pin = vi.fn(async ({ pin }: { id: string; pin: 'home-base' | 'never-coordinate' | 'none' }) => ({ pin }));
  cli = await cliHarness({ peers: { pin } });
  const { code, err } = await cli.skein(['peer', 'pin', 'anna', 'home-base']);
  expect(code).toBe(0);
  expect(pin.mock.calls[0]?.[0]).toEqual({ id: anna.id, pin: 'home-base' });
  expect(err).toContain('anna is the home base');
});

it('skein peer pin names the choices when it is given another one', async () => {
  cli = await cliHarness({});
  const { code, err } = await cli.skein(['peer', 'pin', 'anna', 'boss']);
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain('home-base, never-coordinate, none');
});

it('skein peer list and consensus members show pins', async () => {
  cli = await cliHarness({});
  expect((await cli.skein(['peer', 'list'])).out).toMatch(/anna.*coordinator\s+home-base/);
  expect((await cli.skein(['consensus', 'members'])).out).toMatch(/PIN\s+SEAT[\s\S]*100\s+—\s+a1b2c3d4/);
});

it('skein init offers to make a machine that is always on the home base', async () => {
  cli = await cliHarness({ swarm: { create: async ({ name }) => ({ id: 'ab12', name }) } });
  expect((await cli.skein(['init', 'workshop'])).err).toContain('skein peer pin anna home-base');
});
