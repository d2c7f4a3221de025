import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyCount, valueBytes, type Contestant, type FailoverSubject } from '../contestant.ts';
import { until } from '../../swarm/node-process.ts';
import { clientName, loadClient } from './clients.ts';
import { freePorts, ServerProcess } from './server-process.ts';

interface Connection {
  close(): Promise<void>;
}
interface Stream {
  publish(subject: string, value: Uint8Array, options?: { timeout?: number; retries?: number }): Promise<unknown>;
}
interface StreamInfo {
  readonly cluster: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}
interface Streams {
  readonly streams: { add(config: object): Promise<unknown>; info(name: string): Promise<StreamInfo> };
}
interface Library {
  connect(options: object): Promise<Connection>;
  jetstream(connection: Connection): Stream;
  jetstreamManager(connection: Connection): Promise<Streams>;
}

const servers = 3;
const stream = 'bench';

export function natsVersion(): string | null {
  const answer = spawnSync('nats-server', ['--version'], { encoding: 'utf8' });
  return answer.status === 0 ? (/v([\d.]+)/.exec(answer.stdout)?.[1] ?? 'of unknown version') : null;
}

/** Three NATS servers with one JetStream stream of three replicas on files. */
export async function startNats(parent: string, version: string): Promise<Contestant> {
  const folder = join(parent, 'nats');
  const ports = await freePorts(3 * servers);
  const port = (kind: number, at: number): number => ports[kind * servers + at] ?? 0;
  const routes = Array.from({ length: servers }, (_, at) => `"nats-route://127.0.0.1:${port(1, at)}"`).join(', ');
  const processes: ServerProcess[] = [];
  for (let at = 0; at < servers; at++) {
    await mkdir(join(folder, `n${at}`), { recursive: true });
    const file = join(folder, `n${at}.conf`);
    await writeFile(
      file,
      [
        `server_name: n${at}`,
        `listen: "127.0.0.1:${port(0, at)}"`,
        `http: "127.0.0.1:${port(2, at)}"`,
        `jetstream { store_dir: ${JSON.stringify(join(folder, `n${at}`))}, max_mem: 256MB, max_file: 4GB }`,
        `cluster { name: bench, listen: "127.0.0.1:${port(1, at)}", routes: [${routes}] }`,
      ].join('\n'),
    );
    processes.push(new ServerProcess('nats-server', ['-c', file], join(folder, `n${at}.log`)));
  }
  for (const server of processes) server.start();
  const monitor = (at: number, path: string): string => `http://127.0.0.1:${port(2, at)}/${path}`;
  await until('NATS to form', 40_000, async () => {
    const answer = await fetch(monitor(0, 'jsz'), { signal: AbortSignal.timeout(1_000) });
    const { meta_cluster: meta } = (await answer.json()) as {
      meta_cluster?: { leader?: string; cluster_size?: number };
    };
    return meta?.leader !== undefined && meta.cluster_size === servers ? meta : null;
  });
  const library: Library = {
    ...loadClient<Pick<Library, 'connect'>>('@nats-io/transport-node'),
    ...loadClient<Pick<Library, 'jetstream' | 'jetstreamManager'>>('@nats-io/jetstream'),
  };
  const connections: Connection[] = [];
  for (let at = 0; at < servers; at++)
    connections.push(
      await library.connect({ servers: [`127.0.0.1:${port(0, at)}`], maxReconnectAttempts: -1, reconnectTimeWait: 50 }),
    );
  const first = connections[0] as Connection;
  const manager = await library.jetstreamManager(first);
  await until('a JetStream stream', 20_000, async () => {
    await manager.streams.add({
      ...{ name: stream, subjects: ['w.*'], num_replicas: servers, storage: 'file', max_msgs_per_subject: 1 },
    });
    return true;
  });
  const streams = connections.map((connection) => library.jetstream(connection));
  const leader = await until('a stream leader', 20_000, () => leaderOf(library, connections));
  const atLeader = streams[leader] as Stream;
  const value = new Uint8Array(valueBytes).fill(118);
  let sequence = 0;
  return {
    name: 'NATS JetStream',
    facts: {
      server: `nats-server ${version}, stream of 3 replicas on files`,
      client: `${clientName('@nats-io/jetstream')}, one connection to the stream’s leader`,
      caveats: [
        'NATS 2.9 acknowledges before it syncs to disk (it syncs every two minutes by default): not the same durability',
        'its key-value locks with 3 replicas are not exclusive (nats-server issue 4320), so they are not shown; it has no linearizable read',
      ],
    },
    serverCount: servers,
    pids: () => processes.flatMap((server) => server.pid ?? []),
    write: () => atLeader.publish(`w.${sequence++ % keyCount}`, value),
    failover: failoverOf(processes, streams, value, () =>
      until('a stream leader', 40_000, () => leaderOf(library, connections), 200),
    ),
    stop: async () => {
      await Promise.allSettled(connections.map((connection) => connection.close()));
      await Promise.all(processes.map((server) => server.stop()));
    },
  };
}

/** The stream's leader, once both followers have everything. */
async function leaderOf(library: Library, connections: readonly Connection[]): Promise<number | null> {
  for (const connection of connections) {
    const info = await library
      .jetstreamManager(connection)
      .then((manager) => manager.streams.info(stream))
      .catch(() => null);
    const { leader, replicas = [] } = info?.cluster ?? {};
    if (leader !== undefined && replicas.length === servers - 1 && replicas.every(({ current }) => current))
      return Number(leader.slice(1));
  }
  return null;
}

function failoverOf(
  processes: readonly ServerProcess[],
  streams: readonly Stream[],
  value: Uint8Array,
  leader: () => Promise<number>,
): FailoverSubject {
  return {
    leader,
    hit: async (server, blow) => processes[server]?.signal(blow),
    async probe(server, timeoutMs) {
      await streams[server]?.publish('w.1', value, { timeout: timeoutMs, retries: 0 });
    },
    async restore(server, blow) {
      if (blow === 'SIGSTOP') await processes[server]?.signal('SIGCONT');
      else processes[server]?.start();
      await leader();
    },
  };
}
