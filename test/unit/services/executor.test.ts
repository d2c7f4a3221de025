import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ok, type Failure, type Result } from '../../../shared/domain/failure.ts';
import { contentHash, lockName, nodeId, sessionId, type ContentHash, type NodeId } from '../../../shared/domain/ids.ts';
import type { AcceptPolicy, Role } from '../../../shared/domain/member.ts';
import type { JobSpec } from '../../../shared/domain/task.ts';
import { openContentStore } from '../../../src-main/adapters/disk/file-content-store.ts';
import { readOutput, readTail } from '../../../src-main/adapters/disk/output-reader.ts';
import type { Task } from '../../../src-main/core/tasks/job.ts';
import type { ContentStore } from '../../../src-main/ports/content-store.ts';
import type {
  ProcessExit,
  ProcessRequest,
  ProcessRunner,
  RunningProcess,
} from '../../../src-main/ports/process-runner.ts';
import { ContentExchange } from '../../../src-main/services/content-exchange.ts';
import { Courier } from '../../../src-main/services/courier.ts';
import { Executor } from '../../../src-main/services/executor.ts';
import { valueOf } from '../../../src-main/services/running-peer.ts';
import { SessionKeeper } from '../../../src-main/services/session-keeper.ts';
import { LocalReplica, ManualClock, settled, silentLogger } from './fakes.ts';
import { StreamSwitch } from './paired-streams.ts';

const ttlMs = 20_000;
const session = sessionId('self#aa.1');

const none = { stdout: 0, stderr: 0 };

/** Programs that end when the test says so. */
class FakePrograms implements ProcessRunner {
  readonly started: { request: ProcessRequest; end: (exit: ProcessExit) => void }[] = [];
  readonly graces: number[] = [];

  /** What the machine answers instead of starting anything. */
  refusal: Failure | null = null;

  async start(request: ProcessRequest): Promise<Result<RunningProcess>> {
    if (this.refusal !== null) return { ok: false, failure: this.refusal };
    const exit = Promise.withResolvers<ProcessExit>();
    this.started.push({ request, end: exit.resolve });
    const kill = (graceMs: number): void => {
      this.graces.push(graceMs);
      exit.resolve({ type: 'killed', dropped: none });
    };
    return ok({ pid: this.started.length, exit: exit.promise, kill });
  }

  async stop(): Promise<void> {
    for (const { end } of this.started) end({ type: 'killed', dropped: none });
  }
}

describe('the executor', () => {
  let root: string;
  let clock: ManualClock;
  let replica: LocalReplica;
  let store: ContentStore;
  let programs: FakePrograms;
  let keeper: SessionKeeper;
  let executor: Executor;
  let accepts: AcceptPolicy;
  const roles = new Map<NodeId, Role>([
    [nodeId('self'), 'admin'],
    [nodeId('friend'), 'submitter'],
    [nodeId('guest'), 'observer'],
  ]);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'skein-executor-'));
    clock = new ManualClock();
    replica = new LocalReplica();
    store = valueOf(await openContentStore(join(root, 'content')));
    programs = new FakePrograms();
    accepts = { from: 'everyone' };
    const streams = new StreamSwitch().of(replica.self);
    const common = { self: replica.self, replica, store, streams, clock, logger: silentLogger };
    keeper = new SessionKeeper({
      ...common,
      name: 'me',
      ttlMs,
      capacity: () => ({ slots: 2, os: 'linux', arch: 'x64', memoryBytes: 1, accepts }),
      firstRecord: { incarnation: 'aa', boot: 1 },
      nextRecord: async () => ({ incarnation: 'aa', boot: 2 }),
    });
    executor = new Executor({
      ...common,
      attemptsHome: join(root, 'attempts'),
      keeper,
      exchange: new ContentExchange(common),
      runner: programs,
      courier: new Courier({ ...common, outputFiles: { read: readOutput, tail: readTail } }),
      killGraceMs: 7,
      policy: () => ({ accepts, slots: 2 }),
      roleOf: (node) => roles.get(node) ?? null,
      connected: () => [],
    });
    executor.start();
    keeper.start();
    await settled();
  });

  afterEach(async () => {
    await executor.stop();
    await rm(root, { recursive: true, force: true });
  });

  async function assign(
    change: Partial<JobSpec> = {},
    submitter = replica.self,
    elsewhere: ContentHash | null = null,
  ): Promise<() => Task> {
    const spec: JobSpec = {
      name: 'job',
      argv: ['work', '{line}'],
      env: {},
      outputs: [],
      lock: null,
      retries: 0,
      timeoutMs: null,
      on: null,
      policy: 'least-loaded',
      slots: 1,
      ...change,
    };
    const list = { version: 1, submission: 's', shared: [], items: [{ index: 0, line: 'a line', inputs: [] }] };
    const { hash } = valueOf(await store.putBytes(Buffer.from(JSON.stringify(list))));
    const accepted = replica.apply({
      type: 'job-submitted',
      submitter,
      spec,
      taskCount: 1,
      manifest: elsewhere ?? hash,
    });
    if (accepted.type !== 'job-accepted') throw new Error('the job was not accepted');
    const { job } = accepted;
    replica.apply({
      type: 'tasks-assigned',
      assignments: [{ job, index: 0, attempt: 1, node: replica.self, session, reason: 'test' }],
    });
    return () => {
      const task = replica.state().tasks.task(job, 0);
      if (task === null) throw new Error('the task is gone');
      return task;
    };
  }

  /** Lets disk and timers go on until `ready` holds. */
  async function until(what: string, ready: () => boolean): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (!ready()) {
      if (performance.now() > deadline) throw new Error(`${what}: it did not come to that`);
      await clock.advance(5);
    }
  }

  it('runs what is assigned to its session, with placeholders and numbers filled in, and reports the end', async () => {
    const task = await assign();
    await until('the program starts', () => programs.started.length === 1);
    const request = programs.started[0]?.request;
    expect(request?.argv).toEqual(['work', 'a line']);
    expect(request?.env).toMatchObject({
      SKEIN_TASK_ID: '1.0',
      SKEIN_ATTEMPT: '1',
      SKEIN_FENCING_TOKEN: String(task().attempts[0]?.token),
      SKEIN_PEER: 'self',
    });
    await until('it is known to run', () => task().state === 'running');
    programs.started[0]?.end({ type: 'exited', exitCode: 0, dropped: none });
    await until('the end is reported', () => task().state === 'succeeded');
  });

  it.each([
    ['a machine that its owner does not accept', { from: 'nobody' } as const, 'friend', 'its owner does not run'],
    ['an observer', { from: 'everyone' } as const, 'guest', 'may only look on'],
    ['a machine that is no member', { from: 'everyone' } as const, 'stranger', 'no member any more'],
  ])('refuses the work of %s, when it is about to start', async (_who, policy, submitter, reason) => {
    accepts = policy;
    const task = await assign({}, nodeId(submitter));
    await until('it is refused', () => task().attempts[0]?.outcome !== null);
    expect(task().attempts[0]?.outcome).toMatchObject({ type: 'rejected', reason: expect.stringContaining(reason) });
    expect(programs.started).toEqual([]);
  });

  it.each([
    ['not-found', 127],
    ['not-authorised', 126],
  ] as const)('fails a task at once, with the exit code of a shell, when its program is %s', async (code, exitCode) => {
    programs.refusal = { code, message: 'the program x cannot start' };
    const task = await assign({ retries: 3 });
    await until('it is over', () => task().state === 'failed');
    expect(task()).toMatchObject({
      reason: 'the program x cannot start',
      attempts: [{ outcome: { type: 'broken', retryable: false, exitCode } }],
    });
  });

  it('waits for the files of a submitter that is away, rather than giving the task up', async () => {
    const task = await assign({}, nodeId('friend'), contentHash('f'.repeat(64)));
    await clock.advance(300_000);
    expect(task().attempts[0]?.endedAt).toBeNull();
    await clock.advance(600_000);
    await until('it goes elsewhere', () => task().attempts[0]?.endedAt !== null);
    expect(task().attempts[0]?.outcome).toMatchObject({ type: 'broken', retryable: true });
  });

  it('kills what is cancelled, and says nothing more about it', async () => {
    const task = await assign();
    await until('the program starts', () => programs.started.length === 1);
    replica.apply({ type: 'tasks-cancelled', job: task().job, indices: null, by: 'me', reason: '' });
    await until('it is over', () => executor.running === 0);
    expect(programs.graces).toEqual([7]);
    expect(replica.state().tasks.job(task().job)?.refusedResults).toBe(0);
    expect(task().state).toBe('cancelled');
  });

  it('kills everything when its session is uncertain, before the lease is over, and reports it once it can', async () => {
    const task = await assign();
    await until('it is known to run', () => task().state === 'running');
    replica.held = true;
    await clock.advance(0.66 * ttlMs);
    expect(programs.graces).toEqual([7]);
    expect(task().state).toBe('running');
    replica.release();
    await until('the loss is reported', () => task().attempts[0]?.endedAt !== null);
    expect(task().attempts[0]?.outcome).toMatchObject({ type: 'broken', retryable: true });
  });

  it('does not begin an attempt again that is over here but not yet in the log', async () => {
    await assign();
    await until('the program starts', () => programs.started.length === 1);
    replica.held = true;
    programs.started[0]?.end({ type: 'exited', exitCode: 0, dropped: none });
    await until('it is over here', () => executor.running === 0);
    replica.tellReplaced();
    await clock.advance(50);
    await settled();
    expect(executor.running).toBe(0);
    expect(programs.started.length).toBe(1);
  });

  it('starts a locked task only under its lock, shows the token of the grant, and gives the lock back with the attempt', async () => {
    const name = lockName('store');
    const blocker = replica.apply({ type: 'lock-requested', name, session, owner: 'client:x', label: '', wait: true });
    const task = await assign({ lock: name });
    await until('it waits in line', () => replica.state().locks.get(name)?.waiters.length === 1);
    expect(programs.started).toEqual([]);
    if (blocker.type !== 'lock-granted') throw new Error('the lock was not free');
    replica.apply({ type: 'lock-released', name, session, token: blocker.token });
    await until('the program starts', () => programs.started.length === 1);
    expect(programs.started[0]?.request.env['SKEIN_FENCING_TOKEN']).toBe(
      String(replica.state().locks.get(name)?.holders[0]?.token),
    );
    programs.started[0]?.end({ type: 'exited', exitCode: 0, dropped: none });
    await until('it has ended', () => task().state === 'succeeded');
    expect(replica.state().locks.isFree(name)).toBe(true);
  });

  it('keeps outputs by hash and clears the folder, and calls a missing output a failure', async () => {
    const good = await assign({ outputs: ['{line}.txt'] });
    await until('the program starts', () => programs.started.length === 1);
    await writeFile(join(programs.started[0]?.request.cwd ?? '', 'a line.txt'), 'result');
    programs.started[0]?.end({ type: 'exited', exitCode: 0, dropped: none });
    await until('it has ended', () => good().state === 'succeeded');
    expect(good().outputs).toMatchObject({ fileCount: 1, bytes: 6 });
    const bad = await assign({ outputs: ['none.txt'] });
    await until('the second program starts', () => programs.started.length === 2);
    programs.started[1]?.end({ type: 'exited', exitCode: 0, dropped: none });
    await until('the second has ended', () => bad().attempts[0]?.outcome !== null);
    expect(bad().attempts[0]?.outcome).toMatchObject({
      type: 'broken',
      retryable: false,
      reason: expect.stringContaining('none.txt'),
    });
    const attempts = join(root, 'attempts');
    let left: string[] = [];
    const look = async (): Promise<void> => {
      left = (await Promise.all((await readdir(attempts)).map((name) => readdir(join(attempts, name))))).flat();
    };
    await look();
    await until('the folders are clear', () => {
      void look();
      return !left.includes('work');
    });
  });
});
