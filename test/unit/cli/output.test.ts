import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureError } from '../../../shared/domain/failure.ts';
import { cliHarness, hasColour, type CliHarness } from './cli-harness.ts';

let cli: CliHarness;
beforeAll(async () => {
  cli = await cliHarness({
    peers: {
      ping: () =>
        Promise.reject(
          new FailureError({ code: 'no-quorum', message: '1 of 3 voters answers', hint: 'Start another.' }),
        ),
    },
    swarm: { revoke: () => Promise.reject(new Error('secret detail')) },
  });
});
afterAll(() => cli.stop());

describe('tables', () => {
  it('lists jobs with the reason of each', async () => {
    expect(await cli.skein(['ps'])).toEqual({
      code: 0,
      out: [
        'ID  STATE      DONE  NAME  FROM  AGE    REASON',
        '81  ● running  1/3   gzip  anna  1 min  1 task waits for a free slot',
        '',
      ].join('\n'),
      err: '',
    });
  });

  it('lists locks with holder, token and lease', async () => {
    const { out } = await cli.skein(['lock', 'list', '--no-headers']);
    expect(out).toBe('gpu  held  berta  55  12 s  1  render\n');
  });

  it('shows the state in ten lines', async () => {
    const { out } = await cli.skein(['status']);
    expect(out.trimEnd().split('\n')).toHaveLength(10);
    expect(out).toContain('workshop · healthy');
    expect(out).toContain('3 of 3 reachable, 2 needed, 1 may fail');
  });

  it('prints only names with -o name', async () => {
    expect((await cli.skein(['ps', '-o', 'name'])).out).toBe('81\n');
    expect((await cli.skein(['-o', 'name', 'peer', 'list'])).out).toBe('anna\n');
  });

  it('has no colour where nobody looks', async () => {
    const { out, err } = await cli.skein(['show', '81']);
    expect(hasColour(out + err)).toBe(false);
  });
});

describe('JSON', () => {
  it('is one versioned document with its provenance, times in UTC and durations in seconds', async () => {
    const { out, err } = await cli.skein(['lock', 'list', '--json']);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({
      v: 1,
      kind: 'LockList',
      consistency: 'quorum',
      asOf: '2026-11-23T12:01:29.960Z',
      items: [{ name: 'gpu', holder: { token: 55, leaseLeftSeconds: 12, since: '2026-11-23T12:00:00.000Z' } }],
    });
  });

  it.each([
    [['ps'], 'TaskList'],
    [['show', '81'], 'Task'],
    [['status'], 'Status'],
    [['peer', 'list'], 'PeerList'],
    [['explain', '81'], 'Explanation'],
    [['cancel', '81'], 'Cancelled'],
    [['retry', '81'], 'Retried'],
    [['init', 'workshop'], 'Swarm'],
    [['invite', '--yes'], 'Invitation'],
    [['leave', '--yes'], 'Left'],
    [['requests'], 'RequestList'],
    [['approve', 'x'], 'Decision'],
    [['accept', 'nothing'], 'Policy'],
    [['daemon', 'status'], 'Daemon'],
    [['version'], 'Version'],
    [['submit', '--json', '--', 'true'], 'Submission'],
  ])('of skein %j has kind %s', async (argv, kind) => {
    const { code, out } = await cli.skein(argv.includes('--') ? argv : [...argv, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ v: 1, kind });
  });
});

describe('errors', () => {
  it('say what happened and the next step, on standard error, with the code of their kind', async () => {
    expect(await cli.skein(['peer', 'ping', 'anna'])).toEqual({
      code: 5,
      out: '',
      err: 'skein: 1 of 3 voters answers\n  Start another.\n',
    });
  });

  it('are one object with --json', async () => {
    const { code, out, err } = await cli.skein(['peer', 'ping', 'anna', '--json']);
    expect([code, out]).toEqual([5, '']);
    expect(JSON.parse(err)).toEqual({
      error: { code: 'NO_QUORUM', message: '1 of 3 voters answers', hint: 'Start another.', retryable: true },
    });
  });

  it('keep the details of a defect to the node', async () => {
    const { code, err } = await cli.skein(['peer', 'revoke', 'anna', '--reason', 'x']);
    expect(code).toBe(1);
    expect(err).not.toContain('secret detail');
  });

  it('name a machine that is not there', async () => {
    const { code, err } = await cli.skein(['peer', 'ping', 'zed']);
    expect(code).toBe(3);
    expect(err).toContain('“zed”');
  });

  it.each([
    [['pss'], '“ps”'],
    [['lokc', 'list'], '“lock”'],
    [['ps', '--jsno'], '--json'],
    [['daemon', 'sttus'], 'status'],
    [['help', 'per'], '“peer”'],
  ])('of %j ask: did you mean %s?', async (argv, word) => {
    const { code, out, err } = await cli.skein(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`Did you mean ${word}?`);
  });

  it.each([
    [['submit', '--array', '9-1', '--', 'true'], '--array'],
    [['submit', '--timeout', 'soon', '--', 'true'], '--timeout'],
    [['submit', '--retries', '-1', '--', 'true'], '--retries'],
    [['submit', '--policy', 'best', '--', 'true'], '--policy'],
    [['submit', '--each-file', 'a', '--array', '1-2', '--', 'true'], '--array'],
    [['submit', '--each-line', 'missing.txt', '--', 'true'], 'missing.txt'],
    [['submit', '--env', 'SKEIN_TEST_NOT_SET', '--', 'true'], 'SKEIN_TEST_NOT_SET'],
    [['submit'], '“--”'],
    [['run', '--'], '“--”'],
    [['lock', 'release', 'gpu', '--force'], '--token'],
    [['accept', 'visitors'], 'visitors'],
    [['invite', '--role', 'king'], 'king'],
    [['lock', 'gpu'], '“--”'],
  ])('name what is wrong with %j', async (argv, named) => {
    const { code, out, err } = await cli.skein(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(named);
  });
});

describe('without a node', () => {
  it('says how to start one, with exit code 5', async () => {
    const alone = await cliHarness(null);
    const { code, out, err } = await alone.skein(['ps']);
    await alone.stop();
    expect([code, out]).toEqual([5, '']);
    expect(err).toContain('skein daemon start');
  });
});
