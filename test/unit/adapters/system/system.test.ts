import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJsonLogger } from '../../../../src-main/adapters/system/json-logger.ts';
import { systemClock, systemSeed } from '../../../../src-main/adapters/system/system-clock.ts';

describe('the system clock', () => {
  it('fires a timer once, not early, and a cancelled one never', async () => {
    const from = systemClock.now();
    let cancelled = 0;
    systemClock.setTimer(5, () => (cancelled += 1))();
    await new Promise<void>((resolve) => {
      systemClock.setTimer(20, resolve);
      // The clock's own timers keep no process alive, a test runner's worker included.
      setTimeout(() => {}, 1_000).unref();
    });
    expect(systemClock.now() - from).toBeGreaterThanOrEqual(20);
    expect(cancelled).toBe(0);
    expect(Number.isSafeInteger(systemSeed())).toBe(true);
  });
});

describe('the log', () => {
  it('is one document per line, withholds secrets, and stays within its files', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'skein-log-'));
    const path = join(dir, 'logs', 'node.log');
    const log = openJsonLogger({ path, fileBytesMax: 2_000, filesMax: 3, fields: { node: 'n1' } });
    for (let number = 0; number < 100; number++)
      log.info('something happened', { number, token: 'hush', peer: { secret: 'hush' } });
    log.debug('not wanted');
    log.close();
    expect((await readdir(join(dir, 'logs'))).sort()).toEqual(['node.log', 'node.log.1', 'node.log.2']);
    for (const name of await readdir(join(dir, 'logs')))
      expect((await stat(join(dir, 'logs', name))).size).toBeLessThanOrEqual(2_000);
    const text = await readFile(path, 'utf8');
    expect(text).not.toContain('hush');
    expect(JSON.parse(text.trim().split('\n').at(-1) ?? '')).toMatchObject({
      number: 99,
      node: 'n1',
      msg: 'something happened',
    });
    await rm(dir, { recursive: true, force: true });
  });
});
