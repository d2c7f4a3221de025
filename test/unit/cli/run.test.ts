import { afterEach, describe, expect, it } from 'vitest';
import type { AttemptView, Job, JobDetail } from '../../../shared/contract/tasks.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import { berta, detail, framed, job, noon, stayOpen, task, type Fakes } from '../api/fake-services.ts';
import { cliHarness, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
afterEach(() => cli.stop());

const attempt = (over: Partial<AttemptView>): AttemptView => ({
  number: 1,
  node: berta,
  token: 55,
  state: 'running',
  assignedAt: noon,
  startedAt: noon,
  endedAt: null,
  outcome: '',
  exitCode: null,
  signal: null,
  reason: '',
  ...over,
});

function jobWith(over: Partial<Job>, attempts: readonly AttemptView[]): JobDetail {
  const state = over.state ?? 'running';
  const changed = { ...job, delivery: null, taskCount: 1, ...over };
  return { ...detail, job: changed, tasks: [{ ...task, state, attempts: [...attempts] }], tasksTotal: 1 };
}

/** A job that runs once and ends as told, with the given output. */
function once(ending: JobDetail, output: { stdout?: string; stderr?: string } = {}): Fakes {
  return {
    tasks: {
      submit: async () => ({ job: 81, taskCount: 1, inputBytes: 0 }),
      watchOne: (_input, call) => stayOpen([framed(jobWith({}, [attempt({})])), framed(ending, 2)], call),
      readLog: async ({ stream, offset }) => {
        const text = (output[stream] ?? '').slice(offset);
        const totalBytes = (output[stream] ?? '').length;
        return { offset, nextOffset: totalBytes, totalBytes, text, ended: true, missingBytes: 0, source: 'worker' };
      },
    },
  };
}

const failed = (exitCode: number | null, outcome = '') =>
  jobWith({ state: 'failed' }, [attempt({ state: 'failed', exitCode, outcome })]);

describe('skein run', () => {
  it('passes on output and success', async () => {
    cli = await cliHarness(
      once(jobWith({ state: 'succeeded' }, [attempt({ exitCode: 0 })]), { stdout: 'hello\n', stderr: 'careful\n' }),
    );
    expect(await cli.skein(['run', '--', 'echo', 'hello'])).toEqual({ code: 0, out: 'hello\n', err: 'careful\n' });
  });

  it.each([[1], [7], [127], [137]])('passes on the exit code %i', async (exitCode) => {
    cli = await cliHarness(once(failed(exitCode)));
    expect((await cli.skein(['run', '--', 'x'])).code).toBe(exitCode);
  });

  it('answers 125 when the swarm could not run it', async () => {
    cli = await cliHarness(once(failed(null, 'inputs could not be fetched')));
    const { code, err } = await cli.skein(['run', '--', 'x']);
    expect(code).toBe(125);
    expect(err).toContain('inputs could not be fetched');
  });

  it.each([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
    ['SIGUNKNOWN', 125],
  ])('answers as a shell does when %s ended it', async (signal, code) => {
    cli = await cliHarness(once(jobWith({ state: 'failed' }, [attempt({ state: 'failed', signal })])));
    expect((await cli.skein(['run', '--', 'x'])).code).toBe(code);
  });

  it('says how much output was past the limit of what is kept', async () => {
    const fakes = once(jobWith({ state: 'succeeded' }, [attempt({ exitCode: 0 })]));
    const end = { offset: 0, nextOffset: 0, totalBytes: 0, text: '', ended: true, missingBytes: 0 };
    cli = await cliHarness({
      tasks: {
        ...fakes.tasks,
        readLog: async ({ stream }) => ({ ...end, droppedBytes: stream === 'stdout' ? 2_048 : 0, source: 'worker' }),
      },
    });
    expect((await cli.skein(['run', '--', 'x'])).err).toBe('The program wrote 2.0 KiB more to stdout than is kept.\n');
  });

  it('prints the output of an attempt that was over before it was seen to run', async () => {
    cli = await cliHarness(
      once(jobWith({ state: 'succeeded' }, [attempt({ startedAt: null, endedAt: noon, exitCode: 0 })]), {
        stdout: 'hello\n',
      }),
    );
    expect((await cli.skein(['run', '--', 'x'])).out).toBe('hello\n');
  });

  it('answers 125 when it cannot be submitted', async () => {
    cli = await cliHarness({
      tasks: { submit: () => Promise.reject(new FailureError({ code: 'no-quorum', message: 'no majority' })) },
    });
    expect(await cli.skein(['run', '--', 'x'])).toEqual({ code: 125, out: '', err: 'skein: no majority\n' });
  });

  it('prints the output of each attempt in order', async () => {
    const two = jobWith({ state: 'succeeded' }, [attempt({ exitCode: 1 }), attempt({ number: 2, exitCode: 0 })]);
    cli = await cliHarness({
      tasks: {
        ...once(two).tasks,
        readLog: async ({ stream, attempt: number, offset }) => ({
          offset,
          nextOffset: 2,
          totalBytes: 2,
          text: stream === 'stdout' && offset === 0 ? `${number ?? 0}\n` : '',
          ended: true,
          missingBytes: 0,
          source: 'worker',
        }),
      },
    });
    expect((await cli.skein(['run', '--', 'x'])).out).toBe('1\n2\n');
  });

  it('waits until outputs are back', async () => {
    const delivery = { delivered: 0, pending: 1, folder: '/out', error: '' };
    const fakes = once(jobWith({ state: 'succeeded' }, [attempt({ exitCode: 0 })]));
    const delivered = Promise.withResolvers<void>();
    cli = await cliHarness({
      tasks: {
        ...fakes.tasks,
        watchOne: async function* (_input, call) {
          yield framed(jobWith({ state: 'succeeded', delivery }, [attempt({ exitCode: 0 })]));
          await delivered.promise;
          yield* stayOpen(
            [
              framed(
                jobWith({ state: 'succeeded', delivery: { ...delivery, delivered: 1, pending: 0 } }, [
                  attempt({ exitCode: 0 }),
                ]),
                2,
              ),
            ],
            call,
          );
        },
      },
    });
    const running = cli.start(['run', '--', 'x']);
    let over = false;
    void running.result.then(() => (over = true));
    await cli.skein(['ps']);
    expect(over).toBe(false);
    delivered.resolve();
    expect((await running.result).code).toBe(0);
  });

  it('cancels at the first Ctrl+C and leaves at the second', async () => {
    const cancelled: string[] = [];
    cli = await cliHarness({
      tasks: {
        submit: async () => ({ job: 81, taskCount: 1, inputBytes: 0 }),
        watchOne: (_input, call) => stayOpen([framed(jobWith({}, []))], call),
        cancel: async ({ selector }) => {
          cancelled.push(selector);
          return { cancelled: 1 };
        },
      },
    });
    // The first key press counts once the command listens for it, which is when the job is submitted.
    const running = cli.start(['run', '--', 'x']);
    await expect.poll(() => (running.interrupt(), running.err())).toContain('Cancelling job 81');
    await expect.poll(() => cancelled).toContain('81');
    running.interrupt();
    const { code, err } = await running.result;
    expect(code).toBe(130);
    expect(err).toContain('skein logs 81 --follow');
  });
});

describe('skein wait', () => {
  it.each([
    ['succeeded', {}, 0],
    ['failed', { counts: { ...job.counts, failed: 1 } }, 10],
    ['timed-out', {}, 10],
    ['cancelled', {}, 11],
  ] as const)('of a job that %s answers with its code', async (state, over, code) => {
    cli = await cliHarness(once(jobWith({ state, ...over }, [])));
    expect((await cli.skein(['wait', '81'])).code).toBe(code);
  });

  it('gives up in time with 8', async () => {
    cli = await cliHarness({});
    expect((await cli.skein(['wait', '81', '--timeout', '50ms'])).code).toBe(8);
  });
});

describe('skein logs', () => {
  it('prints one stream from its first byte, page by page', async () => {
    const all = 'a'.repeat(10);
    cli = await cliHarness({
      tasks: {
        readLog: async ({ offset, stream }) => {
          const text = stream === 'stderr' ? all.slice(offset, offset + 4) : '';
          const totalBytes = stream === 'stderr' ? all.length : 0;
          return {
            offset,
            nextOffset: offset + text.length,
            totalBytes,
            text,
            ended: false,
            missingBytes: 0,
            source: 'worker',
          };
        },
      },
    });
    expect((await cli.skein(['logs', '81', '--stderr'])).out).toBe(all);
    expect((await cli.skein(['logs', '81'])).out).toBe('');
  });
});
