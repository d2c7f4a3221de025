import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentHash, jobId, nodeId, sessionId, type NodeId } from '../../../shared/domain/ids.ts';
import type { StagedFile } from '../../../shared/domain/task.ts';
import { openContentStore } from '../../../src-main/adapters/disk/file-content-store.ts';
import { readOutput, readTail } from '../../../src-main/adapters/disk/output-reader.ts';
import { systemClock } from '../../../src-main/adapters/system/system-clock.ts';
import type { AttemptKey } from '../../../src-main/core/tasks/commands.ts';
import type { ContentStore } from '../../../src-main/ports/content-store.ts';
import { attemptFolder } from '../../../src-main/services/attempt-folder.ts';
import type { AttemptWork } from '../../../src-main/services/attempt.ts';
import { Collector } from '../../../src-main/services/collector.ts';
import { ContentExchange } from '../../../src-main/services/content-exchange.ts';
import { Courier } from '../../../src-main/services/courier.ts';
import { Delivery } from '../../../src-main/services/delivery.ts';
import { Logs } from '../../../src-main/services/logs.ts';
import { valueOf } from '../../../src-main/services/running-peer.ts';
import { SubmissionRecords } from '../../../src-main/services/submission-records.ts';
import { LocalReplica, settled, silentLogger } from './fakes.ts';
import { StreamSwitch } from './paired-streams.ts';

const worker = nodeId('worker');
const never = new AbortController().signal;
const capacity = { slots: 4, os: 'linux', arch: 'x64', memoryBytes: 1, accepts: { from: 'everyone' } } as const;
const session = sessionId('worker#aa.1');
const outputFiles = { read: readOutput, tail: readTail };

describe('files between submitter and worker', () => {
  let root: string;
  let network: StreamSwitch;
  let replica: LocalReplica;
  let own: ContentStore;
  let theirs: ContentStore;
  let work: AttemptWork;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'skein-staging-'));
    network = new StreamSwitch();
    replica = new LocalReplica();
    own = valueOf(await openContentStore(join(root, 'own')));
    theirs = valueOf(await openContentStore(join(root, 'theirs')));
    work = runJob();
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  /** A job of this machine with one attempt on the worker. */
  function runJob(): AttemptWork {
    const spec = {
      name: 'job',
      argv: ['true'],
      env: {},
      outputs: ['*'],
      lock: null,
      retries: 0,
      timeoutMs: null,
      on: null,
      policy: 'least-loaded',
      slots: 1,
    } as const;
    const manifest = contentHash('0'.repeat(64));
    if (replica.state().sessions.get(session) === null)
      replica.apply({ type: 'session-opened', session, node: worker, name: 'w', ttlMs: 1_000, capacity });
    const accepted = replica.apply({ type: 'job-submitted', submitter: replica.self, spec, taskCount: 1, manifest });
    const job = accepted.type === 'job-accepted' ? accepted.job : jobId(0);
    replica.apply({
      type: 'tasks-assigned',
      assignments: [{ job, index: 0, attempt: 1, node: worker, session, reason: 'test' }],
    });
    const token = replica.state().tasks.task(job, 0)?.attempts[0]?.token;
    if (token === undefined) throw new Error('the attempt was not assigned');
    return { key: { job, index: 0, attempt: 1, token }, session, submitter: replica.self, spec, manifest };
  }

  const exchangeOf = (self: NodeId, store: ContentStore): ContentExchange =>
    new ContentExchange({ store, streams: network.of(self), clock: systemClock, logger: silentLogger });
  const courier = (): Courier =>
    new Courier({
      self: worker,
      store: theirs,
      outputFiles,
      streams: network.of(worker),
      clock: systemClock,
      logger: silentLogger,
    });
  const collector = (): Collector =>
    new Collector({
      self: replica.self,
      tailsHome: join(root, 'tails'),
      replica,
      store: own,
      streams: network.of(replica.self),
      clock: systemClock,
      logger: silentLogger,
    });

  async function filesOf(store: ContentStore, texts: Readonly<Record<string, string>>): Promise<StagedFile[]> {
    const files: StagedFile[] = [];
    for (const [path, text] of Object.entries(texts))
      files.push({ ...valueOf(await store.putBytes(Buffer.from(text))), path, executable: false });
    return files;
  }

  const finish = (outputs: Parameters<typeof replica.apply>[0] & { type: 'attempts-finished' }): void =>
    void replica.apply(outputs);

  it('are fetched by hash from the first machine that has them, empty ones too', async () => {
    exchangeOf(replica.self, own);
    const third = nodeId('third');
    exchangeOf(third, valueOf(await openContentStore(join(root, 'third'))));
    const files = await filesOf(own, { a: 'x'.repeat(200_000), b: '', c: 'c' });
    const hashes = files.map((file) => file.hash);
    const fetched = await exchangeOf(worker, theirs).fetch(hashes, () => [third, replica.self], never);
    expect(fetched.ok).toBe(true);
    expect(await Promise.all(hashes.map((hash) => theirs.has(hash)))).toEqual([true, true, true]);
  });

  it('are given up with the last reason when nobody has them and the attempt ends', async () => {
    exchangeOf(replica.self, own);
    const ending = new AbortController();
    const fetching = exchangeOf(worker, theirs).fetch(
      [contentHash('1'.repeat(64))],
      () => [replica.self],
      ending.signal,
    );
    ending.abort();
    expect(await fetching).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
  });

  it('come back verified, are placed once their success is in the log, and again after a restart that forgot it', async () => {
    collector();
    const records = new SubmissionRecords(join(root, 'submissions'));
    const folder = join(root, 'results');
    await records.write(work.manifest, { folder, perTask: false });
    const deliveryOf = (): Delivery =>
      new Delivery({
        self: replica.self,
        replica,
        store: own,
        records,
        clock: systemClock,
        logger: silentLogger,
        changed: () => undefined,
        forgotten: async () => undefined,
      });
    const delivery = deliveryOf();
    delivery.start();
    const outputs = await courier().deliver(
      work,
      await filesOf(theirs, { 'deep/one.txt': 'one', 'two.txt': 'two' }),
      never,
    );
    expect(outputs).toMatchObject({ fileCount: 2, bytes: 6 });
    await expect(readFile(join(folder, 'two.txt'))).rejects.toThrow();
    finish({
      type: 'attempts-finished',
      session,
      results: [{ ...work.key, outcome: { type: 'exited', exitCode: 0 }, outputs }],
    });
    await placed(delivery, work.key);
    expect(await readFile(join(folder, 'deep', 'one.txt'), 'utf8')).toBe('one');
    delivery.stop();
    await rm(folder, { recursive: true });
    await rm(join(root, 'submissions', `${work.manifest}.done`));
    const again = deliveryOf();
    again.start();
    await placed(again, work.key);
    expect(await readFile(join(folder, 'two.txt'), 'utf8')).toBe('two');
    again.stop();
  });

  it('are refused from a machine that the log does not name, and for an attempt that is over', async () => {
    collector();
    const files = await filesOf(theirs, { 'a.txt': 'a' });
    const stranger = new Courier({
      self: nodeId('stranger'),
      store: theirs,
      outputFiles,
      streams: network.of(nodeId('stranger')),
      clock: systemClock,
      logger: silentLogger,
    });
    await expect(stranger.deliver(work, files, never)).rejects.toMatchObject({
      failure: { code: 'precondition-failed' },
    });
    replica.apply({ type: 'tasks-cancelled', job: work.key.job, indices: null, by: 'me', reason: '' });
    await expect(courier().deliver(work, files, never)).rejects.toMatchObject({
      failure: { message: expect.stringContaining('the attempt is over') },
    });
    expect(await own.has(files[0]?.hash ?? work.manifest)).toBe(false);
  });

  it('leave the end of the output text with the submitter, to be read when the worker is gone', async () => {
    const kept = collector();
    const attemptsHome = join(root, 'attempts');
    const folder = attemptFolder(attemptsHome, work.key);
    await mkdir(folder.root, { recursive: true });
    await writeFile(folder.stdout, `${'x'.repeat(100_000)}the end ü`);
    await writeFile(folder.stderr, '');
    new Logs({
      self: worker,
      attemptsHome,
      replica,
      collector: kept,
      outputFiles,
      streams: network.of(worker),
      logger: silentLogger,
    });
    const logs = new Logs({
      self: replica.self,
      attemptsHome: join(root, 'none'),
      replica,
      collector: kept,
      outputFiles,
      streams: network.of(replica.self),
      logger: silentLogger,
    });
    const ask = { stream: 'stdout', offset: 99_999, bytesMax: 10, waitMs: 0 } as const;
    expect(await logs.read(work.key, worker, ask, never)).toMatchObject({
      text: 'xthe end ',
      nextOffset: 100_008,
      source: 'worker',
      ended: false,
    });
    courier().sendTail(work, folder);
    while ((await kept.keptTail(work.key)) === null) await settled();
    network.cut.add(worker);
    const tail = await logs.read(work.key, worker, { ...ask, offset: 0, bytesMax: 100_000 }, never);
    expect(tail).toMatchObject({
      source: 'tail',
      totalBytes: 100_010,
      nextOffset: 100_010,
      ended: true,
      missingBytes: 100_010 - 65_536,
    });
    expect(tail.text.endsWith('the end ü')).toBe(true);
  });

  async function placed(delivery: Delivery, key: AttemptKey): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (delivery.standingOf(key.job)?.delivered !== 1) {
      if (performance.now() > deadline)
        throw new Error(`not delivered: ${JSON.stringify(delivery.standingOf(key.job))}`);
      await settled();
    }
  }
});
