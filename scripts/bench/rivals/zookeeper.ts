import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { keyCount, valueBytes, type Contender, type Contestant, type FailoverSubject } from '../contestant.ts';
import { until } from '../../swarm/node-process.ts';
import { clientName, loadClient } from './clients.ts';
import { freePorts, ServerProcess } from './server-process.ts';

type Done<Value> = (error: Error | null, value: Value) => void;
interface Client {
  once(event: 'connected', listener: () => void): void;
  connect(): void;
  close(): void;
  create(path: string, data: Buffer, acls: unknown, mode: unknown, done: Done<string>): void;
  setData(path: string, data: Buffer, version: number, done: Done<unknown>): void;
  getChildren(path: string, done: Done<readonly string[]>): void;
  exists(path: string, watcher: () => void, done: Done<unknown>): void;
  remove(path: string, done: Done<unknown>): void;
}
interface Library {
  createClient(host: string, options: { sessionTimeout: number; spinDelay?: number }): Client;
  readonly ACL: { readonly OPEN_ACL_UNSAFE: unknown };
  readonly CreateMode: { readonly EPHEMERAL_SEQUENTIAL: unknown; readonly PERSISTENT: unknown };
}

const servers = 3;
const connections = 8;
const jars = '/usr/share/java';
const jarNeeded =
  /^(zookeeper|zookeeper-jute|slf4j-api|slf4j-nop|netty-(common|buffer|codec|handler|resolver|transport|transport-native-epoll|transport-native-unix-common)|commons-cli|jline|metrics-core|snappy-java)\.jar$/;

/** The version Debian's package installs, or null without it or without a Java runtime. */
export function zooKeeperVersion(): string | null {
  if (!existsSync(join(jars, 'zookeeper.jar'))) return null;
  if (spawnSync('java', ['-version']).status !== 0) return null;
  return (
    readdirSync(jars).flatMap((name) => /^zookeeper-([\d.]+)\.jar$/.exec(name)?.[1] ?? [])[0] ?? 'of unknown version'
  );
}

const value = Buffer.alloc(valueBytes, 'v');

/** Three ZooKeeper servers, which sync every write to disk. */
export async function startZooKeeper(parent: string, version: string): Promise<Contestant> {
  const ports = await freePorts(3 * servers);
  const processes: ServerProcess[] = [];
  const hosts: string[] = [];
  for (let at = 0; at < servers; at++) {
    const folder = join(parent, 'zookeeper', `s${at}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'myid'), String(at + 1));
    await writeFile(join(folder, 'zoo.cfg'), configOf(folder, ports, at));
    hosts.push(`127.0.0.1:${ports[at] ?? 0}`);
    processes.push(serverOf(folder));
  }
  for (const server of processes) server.start();
  const ports0 = ports.slice(0, servers);
  await Promise.all(
    ports0.map((port) => until('ZooKeeper', 60_000, async () => /Mode: (leader|follower)/.exec(await ask(port)))),
  );
  const leader = await until('a ZooKeeper leader', 30_000, () => leaderOf(ports0));
  const library = loadClient<Library>('node-zookeeper-client');
  const open = async (host: string): Promise<Client> => {
    const client = library.createClient(host, { sessionTimeout: 30_000, spinDelay: 20 });
    await new Promise<void>((resolve) => {
      client.once('connected', resolve);
      client.connect();
    });
    return client;
  };
  const clients = await Promise.all(Array.from({ length: connections }, () => open(hosts[leader] ?? '')));
  const probes = await Promise.all(hosts.map(open));
  const extra: Client[] = [];
  const first = clients[0] as Client;
  const { OPEN_ACL_UNSAFE: everyone } = library.ACL;
  const { PERSISTENT: kept } = library.CreateMode;
  const make = (path: string): Promise<string> => promised((done) => first.create(path, value, everyone, kept, done));
  await Promise.all(Array.from({ length: keyCount }, (_, at) => make(`/k${at}`)));
  let sequence = 0;
  return {
    name: 'ZooKeeper',
    facts: {
      server: `ZooKeeper ${version}, 3 servers, tick 2 s, heap 256 MB`,
      client: `${clientName('node-zookeeper-client')}, ${connections} connections to the leader; one per contender for locks`,
      caveats: ['its reads are answered by one server without a quorum, so they are not compared'],
    },
    serverCount: servers,
    pids: () => processes.flatMap((server) => server.pid ?? []),
    write: (client) =>
      promised((done) =>
        (clients[client % connections] as Client).setData(`/k${sequence++ % keyCount}`, value, -1, done),
      ),
    async contenders(lock, count) {
      await make(`/${lock}`);
      const own = await Promise.all(Array.from({ length: count }, () => open(hosts[leader] ?? '')));
      extra.push(...own);
      return own.map((client) => contenderOf(library, client, `/${lock}`));
    },
    failover: failoverOf(processes, probes, ports0),
    stop: async () => {
      for (const client of [...clients, ...probes, ...extra]) client.close();
      await Promise.all(processes.map((server) => server.stop()));
    },
  };
}

function configOf(folder: string, ports: readonly number[], at: number): string {
  const members = Array.from(
    { length: servers },
    (_, number) => `server.${number + 1}=127.0.0.1:${ports[servers + number] ?? 0}:${ports[2 * servers + number] ?? 0}`,
  );
  return [
    ...['tickTime=2000', 'initLimit=10', 'syncLimit=5', `dataDir=${folder}`, 'forceSync=yes', 'maxClientCnxns=0'],
    ...[`clientPort=${ports[at] ?? 0}`, 'clientPortAddress=127.0.0.1', 'admin.enableServer=false'],
    ...['4lw.commands.whitelist=*', ...members, ''],
  ].join('\n');
}

function serverOf(folder: string): ServerProcess {
  const path = readdirSync(jars)
    .filter((name) => jarNeeded.test(name))
    .map((name) => join(jars, name))
    .join(':');
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  return new ServerProcess(
    'java',
    ['-Xmx256m', '-Dzookeeper.admin.enableServer=false', '-cp', path, main, join(folder, 'zoo.cfg')],
    join(folder, 'server.log'),
  );
}

/** The answer to the four-letter word `srvr`; empty when nobody answers. */
function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end('srvr'));
    let text = '';
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', () => resolve(''));
  });
}

async function leaderOf(ports: readonly number[]): Promise<number | null> {
  const answers = await Promise.all(ports.map(ask));
  const at = answers.findIndex((answer) => answer.includes('Mode: leader'));
  return at < 0 ? null : at;
}

function promised<Value>(begin: (done: Done<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    begin((error, result) => {
      if (error === null || error === undefined) resolve(result);
      else reject(error);
    });
  });
}

/** ZooKeeper's lock recipe: the lowest sequential node holds, everybody else watches the one before its own. */
function contenderOf({ ACL, CreateMode }: Library, client: Client, lock: string): Contender {
  const before = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      client.exists(
        path,
        () => resolve(),
        (error, there) => {
          if (error !== null && error !== undefined) reject(error);
          else if (there === null || there === undefined) resolve();
        },
      );
    });
  return {
    async acquire() {
      const own = await promised<string>((done) =>
        client.create(`${lock}/l-`, Buffer.alloc(0), ACL.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL, done),
      );
      const name = own.slice(lock.length + 1);
      for (;;) {
        const children = [...(await promised<readonly string[]>((done) => client.getChildren(lock, done)))].sort();
        const at = children.indexOf(name);
        if (at === 0) return own;
        await before(`${lock}/${children[at - 1] ?? ''}`);
      }
    },
    async release(own) {
      await promised((done) => client.remove(own as string, done));
    },
  };
}

function failoverOf(
  processes: readonly ServerProcess[],
  probes: readonly Client[],
  ports: readonly number[],
): FailoverSubject {
  return {
    leader: () => until('a ZooKeeper leader', 60_000, () => leaderOf(ports)),
    hit: async (server, blow) => processes[server]?.signal(blow),
    probe: (server, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no answer')), timeoutMs);
        probes[server]?.setData('/k0', value, -1, (error) => {
          clearTimeout(timer);
          if (error === null || error === undefined) resolve();
          else reject(error);
        });
      }),
    async restore(server, blow) {
      if (blow === 'SIGSTOP') await processes[server]?.signal('SIGCONT');
      else processes[server]?.start();
      await until('the ZooKeeper server to follow', 60_000, async () =>
        /Mode: (leader|follower)/.exec(await ask(ports[server] ?? 0)),
      );
    },
  };
}
