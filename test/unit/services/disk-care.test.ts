import { describe, expect, it } from 'vitest';
import { fail, ok, type Failure, type Result } from '../../../shared/domain/failure.ts';
import { DiskCare } from '../../../src-main/services/disk-care.ts';
import type { DiskSpace, SpaceReserve } from '../../../src-main/ports/space-reserve.ts';
import { HeldClock, silent } from '../runtime/fakes.ts';

const mebibyte = 1_024 * 1_024;

class FakeReserve implements SpaceReserve {
  readonly folder = '/home/of/skein';
  readonly bytes = 64 * mebibyte;
  held = true;
  freeBytes = 0;

  space(): Promise<Result<DiskSpace>> {
    return Promise.resolve(ok({ freeBytes: this.freeBytes, totalBytes: 1_000 * mebibyte }));
  }
  release(): Promise<boolean> {
    const had = this.held;
    this.held = false;
    return Promise.resolve(had);
  }
  build(): Promise<Result<null>> {
    this.held = true;
    return Promise.resolve(ok(null));
  }
}

function start() {
  const reserve = new FakeReserve();
  const clock = new HeldClock();
  const standings: string[] = [];
  const restarts: (Failure | null)[] = [];
  const answers: Result<null>[] = [];
  const care = new DiskCare({
    reserve,
    clock,
    logger: silent,
    changed: () => undefined,
    restart: (suspect) => {
      restarts.push(suspect);
      return Promise.resolve(answers.shift() ?? ok(null));
    },
  });
  care.onStanding((standing) => standings.push(standing));
  care.start();
  const pass = async (ms: number): Promise<void> => {
    // In small steps, because each look takes some turns of the loop before it asks for the next.
    for (let left = ms; left > 0; left -= 100) {
      clock.pass(Math.min(left, 100));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { reserve, care, standings, restarts, answers, pass };
}

const full: Failure = { code: 'disk-full', message: 'no space left' };
const failed: Failure = { code: 'disk-failed', message: 'the disk answered EIO' };

describe('the care for a full disk', () => {
  it('gives the reserve up once, names the folder and the space, and lets only what is essential begin', async () => {
    const { care, reserve, standings } = start();
    reserve.freeBytes = 3 * mebibyte;
    expect(await care.makeRoom()).toBe(true);
    expect(await care.makeRoom()).toBe(false);
    expect(standings).toEqual(['low']);
    expect(care.notice(true)).toContain('/home/of/skein is full: 3.0 MiB free, 128.0 MiB needed');
    expect(care.refusal()?.code).toBe('disk-full');
  });

  it('sets the reserve aside again and is ready by itself once there is room for it and as much again', async () => {
    const { care, reserve, standings, pass } = start();
    await care.makeRoom();
    reserve.freeBytes = 127 * mebibyte;
    await pass(35_000);
    expect(care.standing).toBe('low');
    reserve.freeBytes = 128 * mebibyte;
    await pass(35_000);
    expect(standings).toEqual(['low', 'ready']);
    expect(reserve.held).toBe(true);
    expect(care.notice(true)).toBe('');
    expect(care.refusal()).toBeNull();
  });

  it('starts a halted engine again when space returns, as after a crash and not as a suspect', async () => {
    const { care, reserve, standings, restarts, pass } = start();
    reserve.held = false;
    care.halted(full, false);
    await pass(5_000);
    expect(restarts).toEqual([]);
    expect(care.notice(true)).toContain('takes no part');
    reserve.freeBytes = 500 * mebibyte;
    await pass(5_000);
    expect(restarts).toEqual([null]);
    expect(standings).toEqual(['full', 'low', 'ready']);
  });
});

describe('the care for a failed disk', () => {
  it('starts the engine again as a suspect, and says so until the machine has a vote', async () => {
    const { care, restarts, pass } = start();
    care.halted(failed, false);
    expect(care.notice(true)).toContain('the disk answered EIO');
    expect(care.refusal()?.code).toBe('disk-failed');
    care.cameBackSuspect(failed);
    await pass(1_000);
    expect(restarts).toEqual([failed]);
    expect(care.standing).toBe('ready');
    expect(care.notice(false)).toContain('without its record of the log');
    expect(care.notice(true)).toBe('');
  });

  it('never forgets the only copy of the log: its machine goes on from its disk or not at all', async () => {
    const { care, restarts, pass } = start();
    care.halted(failed, true);
    await pass(1_000);
    expect(restarts).toEqual([null]);
  });

  it('tries again, less and less often, while the disk cannot be opened', async () => {
    const { care, answers, restarts, pass } = start();
    answers.push(...Array.from({ length: 50 }, () => fail('disk-failed', 'read-only file system')));
    care.halted(failed, false);
    await pass(60_000);
    expect(restarts.length).toBeGreaterThan(4);
    expect(restarts.length).toBeLessThan(12);
    expect(care.notice(false)).toContain('read-only file system');
  });

  it('starts it again as a suspect when it has something else than the others, and says why', async () => {
    const { care, restarts, pass } = start();
    const differs: Failure = {
      code: 'corrupt',
      message: 'this machine has another state than the others at slot 5000',
    };
    care.halted(differs, false);
    expect(care.notice(false)).toContain('cannot be relied on: this machine has another state than the others');
    await pass(400);
    expect(restarts).toEqual([differs]);
    expect(care.standing).toBe('ready');
  });

  it('keeps out of mistakes of the program: those are no matter of the disk', async () => {
    const { care, restarts, pass } = start();
    care.halted({ code: 'internal', message: 'an assertion' }, false);
    await pass(10_000);
    expect(restarts).toEqual([]);
    expect(care.standing).toBe('ready');
  });
});
