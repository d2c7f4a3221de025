import { afterEach, expect, it, vi } from 'vitest';
import { FailureError } from '../../../shared/domain/failure.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

const words = ['amber', 'brook', 'cedar', 'dune'];
const joined = { type: 'joined', id: 'ab12', name: 'workshop', role: 'worker', words } as const;

it('skein join shows the words to compare while the other side still decides', async () => {
  const decided = Promise.withResolvers<void>();
  cli = await cliHarness({
    swarm: {
      join: async function* () {
        yield { type: 'compare', words } as const;
        await decided.promise;
        yield joined;
      },
    },
  });
  const joining = cli.start(['join', 'skein://join/abc']);
  await vi.waitFor(() => expect(joining.err()).toContain('amber brook cedar dune'), { timeout: 10_000 });
  expect(joining.out()).toBe('');
  decided.resolve();
  const { code, out, err } = await joining.result;
  expect({ code, out }).toEqual({ code: 0, out: 'ab12\n' });
  expect(err).toContain('Joined the swarm “workshop”');
});

it('skein join says why it was turned away', async () => {
  cli = await cliHarness({
    swarm: {
      join: async function* () {
        yield { type: 'compare', words } as const;
        throw new FailureError({ code: 'invitation-denied', message: 'The other side said no.' });
      },
    },
  });
  const { code, err } = await cli.skein(['join', 'skein://join/abc']);
  expect(code).toBe(4);
  expect(err).toContain('The other side said no.');
});
