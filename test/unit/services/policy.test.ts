import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SkeinServices } from '../../../src-main/api/services.ts';
import { Changes } from '../../../src-main/services/live-view.ts';
import { createPolicyService } from '../../../src-main/services/peers-service.ts';
import { inForce, PolicyFile } from '../../../src-main/services/policy.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import { ManualClock } from './fakes.ts';

const call = { signal: new AbortController().signal };
const holder = { self: nodeId('self'), current: null };
const hourMs = 3_600_000;

describe('a pause', () => {
  let home: string;
  let clock: ManualClock;
  let policy: PolicyFile;
  let service: SkeinServices['policy'];
  const slots = (): number => inForce(policy.current, clock.wall()).slots;
  const open = async (): Promise<void> => {
    policy = await PolicyFile.open(home, 4);
    service = createPolicyService({ holder, policy, changes: new Changes(clock), clock });
  };

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'skein-policy-'));
    clock = new ManualClock();
    await open();
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('leaves no slots to anybody, outlives a restart, and gives back what the owner had set', async () => {
    await service.set({ slots: 3 }, call);
    const until = clock.wall() + hourMs;
    expect(await service.pause({ forMs: hourMs }, call)).toMatchObject({ slots: 3, paused: { until } });
    expect(slots()).toBe(0);
    policy = await PolicyFile.open(home, undefined);
    expect(slots()).toBe(0);
    clock.moveWall(hourMs);
    expect(slots()).toBe(3);
  });

  it('ends by itself, and also when the machine slept through its end', async () => {
    await service.pause({ forMs: hourMs }, call);
    clock.moveWall(2 * hourMs);
    await clock.advance(60_000);
    await vi.waitFor(() => expect(policy.current.paused).toBeNull());
    expect(slots()).toBe(4);
  });

  it('without an end lasts until somebody resumes', async () => {
    await service.pause({ forMs: null }, call);
    await clock.advance(48 * hourMs);
    expect(slots()).toBe(0);
    expect(await service.resume(call)).toMatchObject({ slots: 4, paused: null });
    expect(slots()).toBe(4);
  });
});
