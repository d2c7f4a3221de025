import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, joinSwarm } from '../../../shared/contract/client.ts';
import { eventually, overviewOf, ThreeNodes, type NodeProcess } from './node-processes.ts';

const ttlMs = 4_000;
const flags = ['--session-ttl-ms', String(ttlMs)];

describe('locks, lost machines and leaving, with three node processes', () => {
  let three: ThreeNodes;

  beforeAll(async () => {
    three = await ThreeNodes.found(flags);
  }, 90_000);

  afterAll(async () => {
    await three.processes.end();
  }, 30_000);

  const job = async (node: NodeProcess, id: number) =>
    (await node.line.client.tasks.show({ selector: String(id), limit: 1_000 })).view;

  it('hands a lock to the next in line, with a larger token, when its holder lets go', async () => {
    const first = await hold(three.of(0), 'store');
    expect(first.events[0]?.type).toBe('granted');
    const second = await hold(three.of(1), 'store');
    expect(second.events[0]?.type).toBe('waiting');
    first.letGo();
    const granted = await second.granted(15_000);
    expect(granted.token).toBeGreaterThan((await first.granted(1_000)).token);
    second.letGo();
    await eventually('the lock is free', 15_000, async () => {
      const { view } = await three.of(2).line.client.locks.list();
      return view.locks.find((lock) => lock.name === 'store')?.state === 'free' ? true : null;
    });
  }, 60_000);

  it('refuses a second holder that does not want to wait', async () => {
    const first = await hold(three.of(0), 'busy');
    await first.granted(15_000);
    const iterator = await three.of(1).line.client.locks.hold({ name: 'busy', wait: false });
    const refused = await iterator.next().then(
      () => 'granted',
      (error: unknown) => failureOf(error).code,
    );
    expect(refused).toBe('precondition-failed');
    first.letGo();
  }, 60_000);

  it('keeps outputs until their folder can be written, and says what is in the way', async () => {
    const folder = join(three.processes.folder, 'blocked');
    await mkdir(folder);
    await writeFile(join(folder, 'in.txt'), 'words\n');
    await writeFile(join(folder, 'out'), 'a file where a folder should be\n');
    const { job: id } = await three.of(1).line.client.tasks.submit({
      argv: ['sh', '-c', 'cat in.txt > made.txt'],
      cwd: folder,
      inputs: ['in.txt'],
      outputs: ['made.txt'],
      outputFolder: 'out',
    });
    const stuck = await eventually(
      'the delivery says what is in the way',
      30_000,
      async () => {
        const shown = await job(three.of(1), id);
        return shown.job.delivery !== null && shown.job.delivery.error !== '' ? shown.job : null;
      },
      () => job(three.of(1), id),
    );
    expect(stuck.state).toBe('succeeded');
    expect(stuck.delivery).toMatchObject({ delivered: 0, pending: 1 });
    await rm(join(folder, 'out'));
    await eventually('the outputs arrive', 30_000, async () => {
      const { delivery } = (await job(three.of(1), id)).job;
      return delivery?.delivered === 1 && delivery.error === '' ? true : null;
    });
    expect(await readFile(join(folder, 'out', 'made.txt'), 'utf8')).toBe('words\n');
  }, 90_000);

  it('runs a task again elsewhere when its machine stands still past its session', async () => {
    const folder = join(three.processes.folder, 'frozen');
    await mkdir(folder);
    const { job: id } = await three.of(0).line.client.tasks.submit({
      argv: ['sh', '-c', 'sleep 3; echo done > made.txt'],
      cwd: folder,
      outputs: ['made.txt'],
      each: { type: 'range', from: 0, to: 5 },
    });
    const frozen = three.of(2);
    await eventually('the machine runs something', 30_000, async () => {
      const shown = await job(three.of(0), id);
      const states = shown.tasks.flatMap((task) =>
        task.attempts.filter((attempt) => attempt.node.name === frozen.name),
      );
      return states.some((attempt) => attempt.state === 'running') ? true : null;
    });
    frozen.child.kill('SIGSTOP');
    const ended = await eventually(
      'the job ends without that machine',
      60_000,
      async () => {
        const shown = await job(three.of(0), id);
        return shown.job.endedAt !== null && shown.job.delivery?.pending === 0 ? shown : null;
      },
      () => job(three.of(0), id),
    );
    frozen.child.kill('SIGCONT');
    expect(ended.job.counts.succeeded).toBe(6);
    expect(ended.job.extraAttempts).toBeGreaterThan(0);
    expect(await readFile(join(folder, '5', 'made.txt'), 'utf8')).toBe('done\n');
    await eventually(
      'the machine is back with a new session',
      40_000,
      async () => {
        const { view } = await three.of(0).line.client.peers.list();
        return view.peers.find((peer) => peer.name === frozen.name)?.slots === 2 ? true : null;
      },
      () => three.of(0).line.client.peers.list(),
    );
  }, 150_000);

  it('shrinks to one voter when a machine leaves, and takes it back with a new invitation', async () => {
    await three.healthy(three.of(0), 3, 3);
    expect(await three.of(2).line.client.swarm.leave()).toEqual({ left: true });
    expect((await overviewOf(three.of(2))).state).toBe('none');
    await three.healthy(three.of(0), 1, 2);
    const { link } = await three.of(0).line.client.swarm.invite({ autoApprove: true });
    await joinSwarm(three.of(2).line.client, link);
    await three.healthy(three.of(2), 3, 3);
  }, 120_000);

  it('does not let its only admin leave the others without one', async () => {
    const refusal = await three
      .of(0)
      .line.client.swarm.leave()
      .catch((error: unknown) => failureOf(error));
    expect(refusal).toMatchObject({ code: 'precondition-failed' });
  });

  interface Hold {
    readonly events: { type: string; token?: number }[];
    granted(withinMs: number): Promise<{ token: number }>;
    letGo(): void;
  }

  /** Holds a lock as a client does, and resolves once the first event has come. */
  async function hold(node: NodeProcess, name: string): Promise<Hold> {
    const ending = new AbortController();
    const events: Hold['events'] = [];
    const iterator = await node.line.client.locks.hold({ name }, { signal: ending.signal });
    const reading = (async () => {
      for await (const event of iterator) events.push(event);
    })();
    // Letting go ends the call from this side, which the reader sees as an error.
    reading.catch(() => undefined);
    await eventually('the first event of a hold', 15_000, async () => events[0] ?? null);
    return {
      events,
      granted: (withinMs) =>
        eventually('the lock is granted', withinMs, async () => {
          const token = events.find((event) => event.type === 'granted')?.token;
          return token === undefined ? null : { token };
        }),
      letGo: () => ending.abort(),
    };
  }
});
