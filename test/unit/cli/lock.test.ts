import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { SkeinServices } from '../../../src-main/api/services.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import { stayOpen } from '../api/fake-services.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

type HoldEvent =
  | { type: 'waiting'; position: number }
  | { type: 'granted'; token: number; leaseMs: number }
  | { type: 'lost'; reason: string };
const granted: HoldEvent = { type: 'granted', token: 55, leaseMs: 20_000 };

interface World {
  readonly released: Promise<void>;
  /** Process groups that the node was told about. */
  readonly guarded: number[];
  lose(reason: string): void;
}

async function start(
  events: readonly HoldEvent[],
  guard: (pid: number, lose: (reason: string) => void) => void = () => undefined,
): Promise<World> {
  const released = Promise.withResolvers<void>();
  const loss = Promise.withResolvers<string>();
  const guarded: number[] = [];
  const hold: SkeinServices['locks']['hold'] = async function* (_input, call) {
    try {
      yield* events;
      const gone = new Promise<null>((resolve) =>
        call.signal.addEventListener('abort', () => resolve(null), { once: true }),
      );
      const reason = await Promise.race([loss.promise, gone]);
      if (reason !== null) yield { type: 'lost', reason };
    } finally {
      released.resolve();
    }
  };
  cli = await cliHarness({
    locks: {
      hold,
      guard: async ({ pid }) => {
        guarded.push(pid);
        guard(pid, loss.resolve);
        return { guarded: true };
      },
    },
  });
  return { released: released.promise, guarded, lose: loss.resolve };
}

const script = (code: string): string[] => [process.execPath, '-e', code];
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('skein lock NAME -- COMMAND', () => {
  it('passes on the exit code and releases the lock', async () => {
    const { released, guarded } = await start([{ type: 'waiting', position: 1 }, granted]);
    const { code, err } = await cli.skein(['lock', 'gpu', '--', ...script('process.exit(9)')]);
    expect(code).toBe(9);
    expect(err).toContain('place 1');
    expect(guarded).toHaveLength(1);
    await released;
  });

  it('gives the program its fencing token', async () => {
    await start([granted]);
    const path = join(cli.home, 'token');
    const save = `require('fs').writeFileSync(${JSON.stringify(path)}, process.env.SKEIN_FENCING_TOKEN)`;
    expect((await cli.skein(['lock', 'gpu', '--', ...script(save)])).code).toBe(0);
    expect(await readFile(path, 'utf8')).toBe('55');
  });

  it('answers 127 for a program that does not exist', async () => {
    await start([granted]);
    expect((await cli.skein(['lock', 'gpu', '--', 'skein-no-such-program'])).code).toBe(127);
  });

  it('kills the program and answers 5 when the lease may be over', async () => {
    const world = await start([granted]);
    const running = cli.start(['lock', 'gpu', '--', ...script('setInterval(() => {}, 1000)')]);
    await expect.poll(() => world.guarded.length, { timeout: 5_000 }).toBe(1);
    const [pid = 0] = world.guarded;
    expect(isAlive(pid)).toBe(true);
    world.lose('its session could not be renewed');
    const { code, err } = await running.result;
    expect(code).toBe(5);
    expect(err).toContain('its session could not be renewed');
    expect(isAlive(pid)).toBe(false);
  });

  it('answers 5 when the node killed the program before it could say so', async () => {
    await start([granted], (pid, lose) => {
      process.kill(-pid, 'SIGTERM');
      setTimeout(() => lose('taken by force'), 50);
    });
    const { code, err } = await cli.skein(['lock', 'gpu', '--', ...script('setInterval(() => {}, 1000)')]);
    expect(code).toBe(5);
    expect(err).toContain('taken by force');
  });

  it('kills the program and answers 5 when the node is gone', async () => {
    const world = await start([granted]);
    const running = cli.start(['lock', 'gpu', '--', ...script('setInterval(() => {}, 1000)')]);
    await expect.poll(() => world.guarded.length, { timeout: 5_000 }).toBe(1);
    await cli.host?.stop();
    expect((await running.result).code).toBe(5);
    expect(isAlive(world.guarded[0] ?? 0)).toBe(false);
  });

  it('stops waiting at Ctrl+C', async () => {
    const { released } = await start([{ type: 'waiting', position: 2 }]);
    const running = cli.start(['lock', 'gpu', '--', 'true']);
    await expect.poll(() => running.err()).toContain('place 2');
    running.interrupt();
    expect((await running.result).code).toBe(130);
    await released;
  });

  it('passes on why it could not have the lock', async () => {
    cli = await cliHarness({
      locks: {
        hold: (_input, call) => refused(call.signal),
      },
    });
    const { code, err } = await cli.skein(['lock', 'gpu', '--no-wait', '--', 'true']);
    expect(code).toBe(8);
    expect(err).toContain('berta holds it');
  });
});

function refused(signal: AbortSignal): AsyncIterable<HoldEvent> {
  const failure = new FailureError({ code: 'timed-out', message: 'berta holds it' });
  const none = stayOpen<HoldEvent>([], { signal });
  return {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure), return: () => none.return(undefined) }),
  };
}
