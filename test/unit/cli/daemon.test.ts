import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { exitCodes } from '../../../src-main/hosts/cli/exit-codes.ts';

const program = join(import.meta.dirname, '../../../src-main/hosts/cli/main.ts');
/** Half of what the command gives a node that neither ends nor answers. */
const promptlyMs = 15_000;

it('skein daemon start tells at once why the node ended, and ends', { timeout: 2 * promptlyMs }, async () => {
  const home = await mkdtemp(join(tmpdir(), 'skein-daemon-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const started = promisify(execFile)(process.execPath, [program, 'daemon', 'start', '--port', '99999'], {
    env: { ...process.env, SKEIN_HOME: home },
    timeout: promptlyMs,
  });
  await expect(started).rejects.toMatchObject({
    code: exitCodes.error,
    stderr: expect.stringContaining('--port cannot be “99999”') as string,
  });
});
