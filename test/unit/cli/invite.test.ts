import { afterEach, expect, it } from 'vitest';
import { noon } from '../api/fake-services.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

const inviting = (...addresses: string[]) => ({
  swarm: {
    invite: async () => ({ link: 'skein://join/a', expiresAt: noon + 600_000, role: 'worker' as const, addresses }),
  },
});
const warning = 'Only programs on this machine can use it';

it('skein invite says when no other machine could use the link', async () => {
  cli = await cliHarness(inviting('/ip4/127.0.0.1/tcp/4101', '/ip6/::1/tcp/4101'));
  const { out, err } = await cli.skein(['invite', '--yes']);
  expect(out.trim()).toBe('skein://join/a');
  expect(err).toContain(warning);
});

it('skein invite says nothing of it where one address leads here from outside', async () => {
  cli = await cliHarness(inviting('/ip4/127.0.0.1/tcp/4101', '/ip4/192.168.1.20/tcp/4101'));
  expect((await cli.skein(['invite', '--yes'])).err).not.toContain(warning);
});
