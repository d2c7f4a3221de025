import { fileURLToPath } from 'node:url';
import type { SkeinClient } from '../../shared/contract/client.ts';
import { buildNodeProgram } from '../build-desktop.ts';
import { LocalSwarm } from '../swarm/local-swarm.ts';
import { NodeProcess, until } from '../swarm/node-process.ts';
import { keyCount, valueBytes, type Contender, type Contestant, type FailoverSubject } from './contestant.ts';
import { note } from './measure.ts';

const connections = 8;

let built: Promise<string> | null = null;

/** The node as the desktop app ships it: one file. Built once per run. */
export function builtNode(): Promise<string> {
  built ??= buildNodeProgram(fileURLToPath(new URL('../../.cache/bench-node', import.meta.url)));
  return built;
}

const value = 'v'.repeat(valueBytes);
let sequence = 0;

/** One key written through the log, acknowledged. */
export async function replicatedWrite(api: SkeinClient, signal?: AbortSignal): Promise<void> {
  const key = `bench/k${sequence++ % keyCount}`;
  await api.kv.put({ key, value }, signal === undefined ? {} : { signal });
}

/** A client of the public lock call: it holds for as long as it reads. */
export function contenderOf(api: SkeinClient, name: string): Contender {
  return {
    async acquire() {
      const leaving = new AbortController();
      const events = await api.locks.hold({ name, label: 'bench' }, { signal: leaving.signal });
      for (;;) {
        const next = await events.next();
        if (next.done === true) throw new Error(`the wait for ${name} ended without a grant`);
        if (next.value.type === 'granted') return { events, leaving };
      }
    },
    async release(held) {
      const { events, leaving } = held as { events: AsyncGenerator; leaving: AbortController };
      leaving.abort();
      await events.return(undefined).catch(() => undefined);
    },
  };
}

/** A swarm of three node processes on loopback with default timers, and its public API. */
async function foundBenchSwarm(): Promise<LocalSwarm> {
  const program = await builtNode();
  const flags = ['--log-level', 'warn', '--slots', '2'];
  return LocalSwarm.found({
    name: 'bench',
    machines: ['one', 'two', 'three'],
    build: (name, home) => new NodeProcess({ name, home, flags, program }),
    say: note,
  });
}

export async function startSkein(): Promise<Contestant & { readonly swarm: LocalSwarm }> {
  const swarm = await foundBenchSwarm();
  const coordinator = await swarm.coordinator();
  const lines = await Promise.all(Array.from({ length: connections }, () => coordinator.newLine()));
  const apiOf = (client: number): SkeinClient => (lines[client % connections] as (typeof lines)[number]).api;
  return {
    swarm,
    name: 'Skein',
    facts: {
      server:
        'three node processes as built for the desktop app, all voters, default timers, every write synced before its acknowledgement',
      client: `the public contract over ${connections} lean lines of the control socket (JSON over a WebSocket), to the coordinator`,
      caveats: [],
    },
    serverCount: swarm.nodes.length,
    pids: () => swarm.running().map((node) => node.pid),
    write: (client) => replicatedWrite(apiOf(client)),
    read: (client) => apiOf(client).kv.get({ key: `bench/k${client % keyCount}` }),
    contenders: (lock, count) =>
      Promise.resolve(Array.from({ length: count }, (_, client) => contenderOf(apiOf(client), lock))),
    failover: failoverOf(swarm),
    stop: async () => {
      for (const line of lines) line.close();
      await swarm.dispose();
    },
  };
}

function failoverOf(swarm: LocalSwarm): FailoverSubject {
  const nodeAt = (server: number): NodeProcess => {
    const node = swarm.nodes[server];
    if (node === undefined) throw new Error(`there is no server ${server}`);
    return node;
  };
  const lines = new Map<number, ReturnType<NodeProcess['newLine']>>();
  /** A line of its own to the process that runs there now. */
  const apiAt = async (server: number): Promise<SkeinClient> => {
    const { pid } = nodeAt(server);
    const line = lines.get(pid) ?? nodeAt(server).newLine();
    lines.set(pid, line);
    return (await line).api;
  };
  return {
    leader: async () => swarm.nodes.indexOf(await swarm.coordinator()),
    async hit(server, blow) {
      const node = nodeAt(server);
      if (blow === 'SIGSTOP') node.freeze(true);
      else if (blow === 'SIGKILL') await node.kill();
      else void node.stop();
    },
    probe: async (server, timeoutMs) => replicatedWrite(await apiAt(server), AbortSignal.timeout(timeoutMs)),
    async restore(server, blow) {
      const node = nodeAt(server);
      if (blow === 'SIGSTOP') node.freeze(false);
      else {
        await until('the stopped node to be gone', 15_000, () => Promise.resolve(node.running ? null : true));
        await node.start();
      }
      await swarm.settled();
    },
  };
}
