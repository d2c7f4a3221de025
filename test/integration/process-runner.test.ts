import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildProcessRunner } from '../../src-main/adapters/process/child-process-runner.ts';
import { liveProcesses } from '../../src-main/adapters/process/process-tree.ts';
import type { ProcessExit, ProcessRequest, RunningProcess } from '../../src-main/ports/process-runner.ts';

const runnerUrl = new URL('../../src-main/adapters/process/child-process-runner.ts', import.meta.url).href;
const onLinux = process.platform === 'linux';

let dir = '';
let runner: ChildProcessRunner;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skein-process-'));
  runner = new ChildProcessRunner({ stateDir: dir });
});
afterEach(async () => {
  await runner.stop();
  await rm(dir, { recursive: true, force: true });
});

function request(argv: readonly string[], changes: Partial<ProcessRequest> = {}): ProcessRequest {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  return {
    argv,
    cwd: dir,
    env,
    stdoutPath: join(dir, 'out'),
    stderrPath: join(dir, 'err'),
    outputBytesMax: 10_000,
    timeoutMs: null,
    ...changes,
  };
}

async function start(argv: readonly string[], changes: Partial<ProcessRequest> = {}): Promise<RunningProcess> {
  const result = await runner.start(request(argv, changes));
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}
const run = async (argv: readonly string[], changes: Partial<ProcessRequest> = {}): Promise<ProcessExit> =>
  (await start(argv, changes)).exit;

async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const until = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`it never came about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Process ids that programs wrote, one per line, to `pids`. */
async function writtenPids(count: number): Promise<readonly number[]> {
  let pids: readonly number[] = [];
  await eventually(`${String(count)} processes run`, async () => {
    const text = await readFile(join(dir, 'pids'), 'utf8').catch(() => '');
    pids = text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
    return pids.length >= count;
  });
  return pids;
}
const alive = (pids: readonly number[]): readonly number[] =>
  liveProcesses()
    .map((one) => one.pid)
    .filter((pid) => pids.includes(pid));

/** A program with a child of its own, and a grandchild in a session of its own that ignores polite requests. */
const family =
  'echo $$ >> pids; (echo $BASHPID >> pids; exec sleep 60) & setsid bash -c \'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done\' & wait';

describe('a program', () => {
  it('ends with its own exit code, its output in its files', async () => {
    expect(await run(['sh', '-c', 'echo to out; echo to err >&2; exit 3'])).toMatchObject({
      type: 'exited',
      exitCode: 3,
    });
    expect(await readFile(join(dir, 'out'), 'utf8')).toBe('to out\n');
    expect(await readFile(join(dir, 'err'), 'utf8')).toBe('to err\n');
  });

  it('that a signal ends is reported with the name of the signal', async () => {
    expect(await run(['sh', '-c', 'kill -USR1 $$'])).toMatchObject({ type: 'signalled', signal: 'SIGUSR1' });
  });

  it('sees the given environment, the mark of its tree and nothing else, and an empty input', async () => {
    expect(await run(['env'], { env: { PATH: '/usr/bin:/bin', GREETING: 'hello there' } })).toMatchObject({
      exitCode: 0,
    });
    const names = (await readFile(join(dir, 'out'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['GREETING', 'PATH', 'SKEIN_TREE']);
    expect(await run(['cat'])).toMatchObject({ type: 'exited', exitCode: 0 });
  });

  it('that does not exist, may not be executed or has no folder is refused with the reason', async () => {
    await writeFile(join(dir, 'plain'), 'text', { mode: 0o644 });
    expect(await runner.start(request(['no-such-program']))).toMatchObject({ failure: { code: 'not-found' } });
    expect(await runner.start(request([join(dir, 'plain')]))).toMatchObject({ failure: { code: 'not-authorised' } });
    expect(await runner.start(request(['true'], { cwd: join(dir, 'gone') }))).toMatchObject({
      failure: { code: 'internal' },
    });
  });

  it('that writes more than its limit runs to its end, and the rest is dropped', async () => {
    expect(await run(['sh', '-c', 'head -c 3000000 /dev/zero; echo end >&2'])).toEqual({
      type: 'exited',
      exitCode: 0,
      dropped: { stdout: 2_990_000, stderr: 0 },
    });
    expect((await stat(join(dir, 'out'))).size).toBe(10_000);
    expect(await readFile(join(dir, 'err'), 'utf8')).toBe('end\n');
  });
});

describe.runIf(onLinux)('a process tree', () => {
  it('ends whole at its timeout', async () => {
    const program = await start(['bash', '-c', family], { timeoutMs: 1_500 });
    const pids = await writtenPids(3);
    expect(await program.exit).toMatchObject({ type: 'timed-out' });
    expect(alive(pids)).toEqual([]);
  });

  it('ends whole when it is killed, a grandchild in its own session included', async () => {
    const program = await start(['bash', '-c', family]);
    const pids = await writtenPids(3);
    expect(alive(pids)).toHaveLength(3);
    program.kill(50);
    program.kill(50);
    expect(await program.exit).toMatchObject({ type: 'killed' });
    expect(alive(pids)).toEqual([]);
  });

  it('does not outlive its program', async () => {
    const program = await start([
      'bash',
      '-c',
      'setsid bash -c "echo \\$\\$ >> pids; exec sleep 60" & while [ ! -s pids ]; do sleep 0.01; done; exit 7',
    ]);
    expect(await program.exit).toMatchObject({ type: 'exited', exitCode: 7 });
    expect(alive(await writtenPids(1))).toEqual([]);
  });

  it('that wipes its environment is still found by its session', async () => {
    const program = await start([
      'bash',
      '-c',
      'env -i bash -c "set -m; echo \\$\\$ >> pids; sleep 60 & echo \\$! >> pids; wait" & wait',
    ]);
    const pids = await writtenPids(2);
    program.kill(0);
    expect(await program.exit).toMatchObject({ type: 'killed' });
    expect(alive(pids)).toEqual([]);
  });

  it('dies with the process that owns it, even when that is killed outright', async () => {
    const script = join(dir, 'owner.ts');
    await writeFile(
      script,
      `import { ChildProcessRunner } from ${JSON.stringify(runnerUrl)};
       const runner = new ChildProcessRunner({ stateDir: ${JSON.stringify(join(dir, 'owner'))} });
       await runner.start(${JSON.stringify(request(['bash', '-c', family]))});
       setInterval(() => {}, 1_000);`,
    );
    const owner = spawn(process.execPath, [script], { stdio: 'ignore' });
    const pids = await writtenPids(3);
    owner.kill('SIGKILL');
    await eventually('the tree is gone', () => alive(pids).length === 0);
  });

  it('is reported as killed when the helper dies, and the next program starts through a new helper', async () => {
    const program = await start(['bash', '-c', family]);
    const pids = await writtenPids(3);
    const status = await readFile(`/proc/${String(program.pid)}/stat`, 'latin1');
    const helper = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    process.kill(helper, 'SIGKILL');
    expect(await program.exit).toMatchObject({ type: 'killed' });
    await eventually('the tree is gone', () => alive(pids).length === 0);
    expect(await run(['true'])).toMatchObject({ type: 'exited', exitCode: 0 });
  });

  it('left behind by an earlier run of the same state folder is ended by the next one', async () => {
    const program = await start(['sleep', '60']);
    const next = new ChildProcessRunner({ stateDir: dir });
    expect(await program.exit).toMatchObject({ type: 'signalled', signal: 'SIGKILL' });
    await next.stop();
  });
});

describe('many programs', () => {
  it('start one after the other and side by side', async () => {
    const count = 300;
    const from = performance.now();
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) expect(await run(['true'])).toMatchObject({ type: 'exited', exitCode: 0 });
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    console.info(
      `${String(Math.round((count * 1_000) / (performance.now() - from)))} programs per second, four at a time`,
    );
  }, 30_000);
});
