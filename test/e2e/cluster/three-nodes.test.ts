import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf, joinSwarm } from '../../../shared/contract/client.ts';
import { eventually, NodeProcesses, overviewOf, type NodeProcess } from './node-processes.ts';

const fileCount = 30;

describe('three node processes on loopback', () => {
  let processes: NodeProcesses;
  let nodes: NodeProcess[];

  beforeAll(async () => {
    processes = await NodeProcesses.begin();
    nodes = await Promise.all(
      ['ash', 'birch', 'cedar'].map((name) => processes.start(name, ['--session-ttl-ms', '6000'])),
    );
  }, 60_000);

  afterAll(async () => {
    await processes.end();
  }, 30_000);

  const of = (index: number): NodeProcess => {
    const node = nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  };
  const job = async (node: NodeProcess, selector: string) =>
    (await node.line.client.tasks.show({ selector, limit: 1_000 })).view;

  it('found a swarm, join it with one-time links, and choose three voters', async () => {
    const { id } = await of(0).line.client.swarm.create({ name: 'trees' });
    for (const joiner of [of(1), of(2)]) {
      const { link } = await of(0).line.client.swarm.invite({ autoApprove: true, role: 'admin' });
      const joined = await joinSwarm(joiner.line.client, link);
      expect(joined.id).toBe(id);
      expect(joined.words).toHaveLength(4);
      const refusal = await joinSwarm(of(0).line.client, link).catch((error: unknown) => failureOf(error).code);
      expect(refusal).toBe('already-exists');
    }
    for (const node of nodes) await node.line.client.policy.set({ accepts: { from: 'everyone' } });
    for (const node of nodes) {
      const view = await eventually(
        `${node.name} sees three voters`,
        30_000,
        async () => {
          const seen = await overviewOf(node);
          return seen.state === 'healthy' && seen.quorum.voters.length === 3 ? seen : null;
        },
        () => overviewOf(node),
      );
      expect(view.members).toEqual({ total: 3, reachable: 3 });
    }
  }, 60_000);

  it('share out a job over files and bring its outputs back', async () => {
    const folder = await sampleFolder('shared');
    const submitted = await of(1).line.client.tasks.submit({
      argv: ['gzip', '-k', '{file}'],
      cwd: folder,
      each: { type: 'files', globs: ['*.txt'] },
      outputs: ['{file}.gz'],
    });
    expect(submitted.taskCount).toBe(fileCount);
    const ended = await delivered(of(1), submitted.job);
    expect(ended.job.counts).toMatchObject({ succeeded: fileCount, failed: 0 });
    expect(ended.job.where.length).toBe(3);
    await verify(folder);
  }, 60_000);

  it('finish a job although the coordinator is killed in the middle of it', async () => {
    const folder = await sampleFolder('crash');
    const first = await overviewOf(of(0));
    const victim = nodes.find((node) => node.name === first.coordinator?.node.name) ?? of(0);
    const submitter = nodes.find((node) => node !== victim) ?? of(1);
    const { job: id } = await submitter.line.client.tasks.submit({
      argv: ['sh', '-c', 'sleep 0.3; gzip -k "$0"', '{file}'],
      cwd: folder,
      each: { type: 'files', globs: ['*.txt'] },
      outputs: ['{file}.gz'],
    });
    await eventually(
      'some tasks have ended',
      30_000,
      async () => ((await job(submitter, String(id))).job.counts.succeeded >= 4 ? true : null),
      () => job(submitter, String(id)),
    );
    await processes.kill(victim);
    const ended = await delivered(submitter, id);
    expect(ended.job.counts).toMatchObject({ succeeded: fileCount, failed: 0 });
    await verify(folder);
    const after = await overviewOf(submitter);
    expect(after.coordinator?.node.name).not.toBe(victim.name);
    const restarted = await processes.start(victim.name, ['--session-ttl-ms', '6000']);
    nodes = nodes.map((node) => (node === victim ? restarted : node));
    await eventually(
      'the killed machine is back',
      30_000,
      async () => {
        const view = await overviewOf(restarted);
        return view.state === 'healthy' && (await job(restarted, String(id))).job.counts.succeeded === fileCount
          ? true
          : null;
      },
      () => overviewOf(restarted),
    );
  }, 120_000);

  async function sampleFolder(name: string): Promise<string> {
    const folder = join(processes.folder, name);
    await mkdir(folder);
    for (let index = 0; index < fileCount; index++)
      await writeFile(join(folder, `file ${index}.txt`), `${name} ${index}\n`.repeat(500 * (index + 1)));
    return folder;
  }

  async function delivered(node: NodeProcess, id: number): ReturnType<typeof job> {
    return eventually(
      `job ${id} is delivered`,
      60_000,
      async () => {
        const shown = await job(node, String(id));
        return shown.job.endedAt !== null &&
          shown.job.delivery?.pending === 0 &&
          shown.job.delivery.delivered >= shown.job.counts.succeeded
          ? shown
          : null;
      },
      () => job(node, String(id)),
    );
  }

  async function verify(folder: string): Promise<void> {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.txt'));
    for (const name of names) {
      const packed = await readFile(join(folder, `${name}.gz`));
      expect(gunzipSync(packed).equals(await readFile(join(folder, name)))).toBe(true);
    }
    expect((await readdir(folder)).length).toBe(2 * fileCount);
  }
});
