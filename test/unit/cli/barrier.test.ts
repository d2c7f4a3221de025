import { afterEach, describe, expect, it } from 'vitest';
import { LocalReplica, ManualClock } from '../services/fakes.ts';
import { createKvService } from '../../../src-main/services/kv-service.ts';
import type { RunningPeer } from '../../../src-main/services/running-peer.ts';
import { ok } from '../../../shared/domain/failure.ts';
import { sessionId } from '../../../shared/domain/ids.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

const session = sessionId('self#aa.1');
const capacity = { slots: 1, os: 'linux', arch: 'x64', memoryBytes: 1, accepts: { from: 'nobody' } } as const;

let cli: CliHarness;
afterEach(() => cli.stop());

/** The command line against the real key-value service over a log of one machine. */
async function start(): Promise<LocalReplica> {
  const replica = new LocalReplica();
  replica.apply({ type: 'session-opened', session, node: replica.self, name: 'me', ttlMs: 1_000, capacity });
  const clock = new ManualClock();
  const peer = {
    self: replica.self,
    replica: Object.assign(replica, { readIndex: async () => ok(replica.status().applied) }),
    keeper: { held: session },
    membership: { member: () => null },
    hints: { coordinatorSilentMs: () => clock.now() },
  } as unknown as RunningPeer;
  cli = await cliHarness({ kv: createKvService({ self: replica.self, current: peer }) });
  return replica;
}

const meet = (parties: number, code: string, ...flags: string[]) =>
  cli.start(['lock', 'barrier', 'b', '--parties', String(parties), ...flags, '--', process.execPath, '-e', code]);

describe('skein lock barrier', () => {
  it('lets nobody begin before all have come, passes on exit codes and leaves nothing behind', async () => {
    const replica = await start();
    const first = meet(2, 'process.exit(3)');
    await expect.poll(() => first.err(), { timeout: 10_000 }).toContain('1 of 2 have come');
    const second = meet(2, 'process.exit(0)');
    expect([(await first.result).code, (await second.result).code]).toEqual([3, 0]);
    expect(replica.state().kv.size).toBe(0);
    const again = [meet(2, ''), meet(2, '')];
    for (const each of again) expect((await each.result).code).toBe(0);
  });

  it('answers 8 when not all come in time, and is not waited for then', async () => {
    const replica = await start();
    const alone = meet(2, '', '--timeout', '300ms');
    expect((await alone.result).code).toBe(8);
    expect(replica.state().kv.size).toBe(0);
  });
});
