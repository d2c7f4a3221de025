import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinSwarm } from '../../../shared/contract/client.ts';
import type { Overview } from '../../../shared/contract/swarm.ts';
import { connectToNode, type NodeConnection } from '../../../src-main/hosts/cli/connection.ts';

const program = join(import.meta.dirname, '../../../src-main/hosts/node/main.ts');
const readyWithinMs = 20_000;

/** One node process on its own home, and a line to it. */
export interface NodeProcess {
  readonly name: string;
  readonly home: string;
  readonly child: ChildProcess;
  readonly line: NodeConnection;
  /** What it wrote to its standard error, the last part. */
  log(): string;
}

/** Three node processes on loopback, or however many are asked for; everything is gone after `end`. */
export class NodeProcesses {
  readonly #root: string;
  readonly #alive = new Set<ChildProcess>();

  private constructor(root: string) {
    this.#root = root;
  }

  static async begin(): Promise<NodeProcesses> {
    return new NodeProcesses(await mkdtemp(join(tmpdir(), 'skein-cluster-')));
  }

  /** A folder for files of the test. */
  get folder(): string {
    return this.#root;
  }

  /** Starts a process on the home of that name: a new one, or the one it had. */
  async start(name: string, flags: readonly string[] = []): Promise<NodeProcess> {
    const home = join(this.#root, name);
    const args = [
      program,
      '--home',
      home,
      '--name',
      name,
      '--listen',
      '127.0.0.1',
      '--no-mdns',
      '--json',
      '--slots',
      '2',
      ...flags,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#alive.add(child);
    child.once('exit', () => this.#alive.delete(child));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)));
    await readyLine(child, () => log);
    return { name, home, child, line: await connectToNode(home), log: () => log };
  }

  /** Ends a process as a power cut would, and resolves when it is gone. */
  async kill(node: NodeProcess): Promise<void> {
    const gone = new Promise((resolve) => node.child.once('exit', resolve));
    node.child.kill('SIGKILL');
    await gone;
  }

  async end(): Promise<void> {
    const gone = [...this.#alive].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#alive) child.kill('SIGKILL');
    await Promise.all(gone);
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** A swarm of three machines that all vote and run what the others ask for. */
export class ThreeNodes {
  readonly processes: NodeProcesses;
  readonly nodes: NodeProcess[];

  private constructor(processes: NodeProcesses, nodes: NodeProcess[]) {
    this.processes = processes;
    this.nodes = nodes;
  }

  /** Starts them with these flags beside the usual ones, and resolves when there are three voters. */
  static async found(flags: readonly string[]): Promise<ThreeNodes> {
    const processes = await NodeProcesses.begin();
    const nodes = await Promise.all(['ash', 'birch', 'cedar'].map((name) => processes.start(name, flags)));
    const three = new ThreeNodes(processes, nodes);
    await three.of(0).line.client.swarm.create({ name: 'trees' });
    for (const joiner of nodes.slice(1)) {
      const { link } = await three.of(0).line.client.swarm.invite({ autoApprove: true });
      await joinSwarm(joiner.line.client, link);
    }
    for (const node of nodes) await node.line.client.policy.set({ accepts: { from: 'everyone' } });
    await three.healthy(three.of(0), 3, 3);
    return three;
  }

  of(index: number): NodeProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** Waits until this node sees a majority of as many voters, and as many members. */
  async healthy(node: NodeProcess, voters: number, members: number): Promise<void> {
    await eventually(
      `${node.name} sees ${voters} voters of ${members} members`,
      40_000,
      async () => {
        const seen = await overviewOf(node);
        const well = seen.state === 'healthy' || seen.state === 'alone';
        return well && seen.quorum.voters.length === voters && seen.members.total === members ? seen : null;
      },
      () => overviewOf(node),
    );
  }
}

export const overviewOf = async (node: NodeProcess): Promise<Overview> =>
  (await node.line.client.swarm.overview()).view;

function readyLine(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the node was not ready in ${readyWithinMs} ms: ${log()}`)),
      readyWithinMs,
    );
    child.once('exit', (code) => reject(new Error(`the node ended with ${String(code)}: ${log()}`)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (!text.includes('"Ready"')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Asks again until the answer is not null. Fails with what `describe` says when the time is over. */
export async function eventually<Value>(
  what: string,
  withinMs: number,
  ask: () => Promise<Value | null>,
  describe: () => Promise<unknown> = async () => '',
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline)
      throw new Error(`${what}: not within ${withinMs} ms. ${JSON.stringify(await describe())}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
