import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { failureOf, joinSwarm } from '../../shared/contract/client.ts';
import { NodeProcess, until } from './node-process.ts';

const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Three (or so) node processes on loopback that form one swarm. The first one founds it. */
export class LocalSwarm {
  readonly folder: string;
  readonly nodes: readonly NodeProcess[];

  private constructor(folder: string, nodes: readonly NodeProcess[]) {
    this.folder = folder;
    this.nodes = nodes;
    for (const signal of interruptions) process.on(signal, this.#interrupted);
  }

  /** A script that is interrupted leaves neither processes nor files behind. */
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    for (const node of this.nodes) node.killNow();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit(128 + constants.signals[signal]);
  };

  /** From here on an interruption is the caller's to handle. */
  ignoreInterruptions(): void {
    for (const signal of interruptions) process.off(signal, this.#interrupted);
  }

  /** Starts the processes, founds the swarm, admits the others and waits until three vote (if there are three). */
  static async found(options: {
    name: string;
    machines: readonly string[];
    flags?: readonly string[];
    slots?: number;
    say?: (line: string) => void;
    /** Makes the process of a machine; by default one on loopback with `flags`. */
    build?: (name: string, home: string) => NodeProcess;
  }): Promise<LocalSwarm> {
    const say = options.say ?? (() => undefined);
    const folder = await mkdtemp(join(tmpdir(), 'skein-'));
    const flags = ['--slots', String(options.slots ?? 2), ...(options.flags ?? [])];
    const build = options.build ?? ((name: string, home: string) => new NodeProcess({ name, home, flags }));
    const nodes = options.machines.map((name) => build(name, join(folder, name)));
    const swarm = new LocalSwarm(folder, nodes);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      const [founder, ...others] = nodes;
      if (founder === undefined) throw new Error('a swarm needs at least one machine');
      await founder.api.swarm.create({ name: options.name });
      say(`${founder.name} founded the swarm “${options.name}”`);
      for (const node of others) {
        await admit(founder, node);
        say(`${node.name} joined`);
      }
      for (const node of nodes) await node.api.policy.set({ accepts: { from: 'everyone' } });
      await swarm.settled();
      return swarm;
    } catch (error) {
      await swarm.dispose();
      throw error;
    }
  }

  /** Waits until a coordinator is known everywhere, all members are reachable and the right number of them votes. */
  async settled(withinMs = 60_000): Promise<void> {
    const voters = this.nodes.length >= 3 ? 3 : 1;
    for (const node of this.nodes.filter(({ running }) => running)) {
      await until(`${node.name} to see a settled swarm`, withinMs, async () => {
        const { view } = await node.api.swarm.overview();
        const ready =
          view.coordinator !== null && view.quorum.voters.length === voters && view.members.total === this.nodes.length;
        return ready ? view : null;
      });
    }
  }

  running(): NodeProcess[] {
    return this.nodes.filter(({ running }) => running);
  }

  /** The machine that coordinates, as a running node sees it. */
  async coordinator(withinMs = 30_000): Promise<NodeProcess> {
    return until('a coordinator', withinMs, async () => {
      for (const node of this.running()) {
        const { view } = await node.api.swarm.overview();
        const name = view.coordinator?.node.name;
        const found = this.running().find((candidate) => candidate.name === name);
        if (found !== undefined) return found;
      }
      return null;
    });
  }

  /** Stops every process and removes every trace. */
  async dispose(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    this.ignoreInterruptions();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const admissionsMax = 5;

/** On a machine that is busy with other work a connection may take longer than pairing waits: a fresh invitation then. */
async function admit(founder: NodeProcess, node: NodeProcess): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { link } = await founder.api.swarm.invite({ role: 'admin', autoApprove: true });
    try {
      await joinSwarm(node.api, link);
      return;
    } catch (error) {
      if (attempt === admissionsMax || failureOf(error).code !== 'peer-unreachable') throw error;
    }
  }
}
