import { existsSync, readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { endModelPrograms, runModelProgram } from '../../scripts/model-programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-model-programs-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process whose parent has not yet asked how it ended is over, too.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

describe.runIf(process.platform === 'linux')('a program that checks a model', () => {
  it('is ended when it takes too long', async () => {
    const { stopped, seconds } = await runModelProgram('sleep', ['60'], folder, 100);
    expect(stopped).toBe('time limit');
    expect(seconds).toBeLessThan(20);
  });

  it('is ended with what it has started when the check is interrupted, and no other begins', async () => {
    const pids = join(folder, 'pids');
    const running = runModelProgram('sh', ['-c', `sleep 60 & echo $$ $! > ${pids}; wait`], folder, 60_000);
    await expect.poll(() => existsSync(pids) && readFileSync(pids, 'utf8').endsWith('\n')).toBe(true);
    const started = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
    expect(started.map(lives)).toEqual([true, true]);
    endModelPrograms();
    expect((await running).stopped).toBe('interrupted');
    await expect.poll(() => started.some(lives)).toBe(false);
    expect((await runModelProgram('sleep', ['60'], folder, 60_000)).stopped).toBe('interrupted');
  });
});
