import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { keyCount, valueBytes, type Contender, type Contestant, type FailoverSubject } from '../contestant.ts';
import { until } from '../../swarm/node-process.ts';
import { clientName, loadClient } from './clients.ts';
import { freePorts, ServerProcess } from './server-process.ts';

interface Etcd3Client {
  put(key: string): { value(value: Buffer): { exec(): Promise<unknown> } };
  get(key: string): { string(): Promise<string | null> };
  lease(ttlSeconds: number): { grant(): Promise<string>; revoke(): Promise<unknown> };
  close(): void;
}
interface UnaryCaller {
  makeUnaryRequest(
    path: string,
    encode: (value: Buffer) => Buffer,
    decode: (bytes: Buffer) => Buffer,
    argument: Buffer,
    done: (error: Error | null, answer?: Buffer) => void,
  ): unknown;
  close(): void;
}
interface Grpc {
  readonly Client: new (address: string, credentials: unknown, options: object) => UnaryCaller;
  readonly credentials: { createInsecure(): unknown };
}

const connections = 8;
const members = 3;

export function etcdVersion(): string | null {
  const answer = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  return answer.status === 0 ? (/etcd Version: (\S+)/.exec(answer.stdout)?.[1] ?? 'of unknown version') : null;
}

/** Three etcd servers with default timers. Its client is npm etcd3 over gRPC, connected to the leader. */
export async function startEtcd(parent: string, version: string): Promise<Contestant> {
  const folder = join(parent, 'etcd');
  await mkdir(folder, { recursive: true });
  const ports = await freePorts(2 * members);
  const hosts = Array.from({ length: members }, (_, at) => `127.0.0.1:${ports[at] ?? 0}`);
  const peers = Array.from({ length: members }, (_, at) => `http://127.0.0.1:${ports[members + at] ?? 0}`);
  const servers = hosts.map((host, at) => serverOf(folder, at, `http://${host}`, peers));
  for (const server of servers) server.start();
  await Promise.all(hosts.map((host) => until(`etcd at ${host}`, 30_000, () => healthy(host))));
  const leader = await until('an etcd leader', 30_000, () => leaderOf(hosts));
  const leaderHost = hosts[leader] ?? '';
  const { Etcd3 } = loadClient<{ Etcd3: new (options: object) => Etcd3Client }>('etcd3');
  const clients = Array.from({ length: connections }, () => new Etcd3({ hosts: `http://${leaderHost}` }));
  const clientOf = (client: number): Etcd3Client => clients[client % connections] as Etcd3Client;
  const value = Buffer.alloc(valueBytes, 'v');
  let sequence = 0;
  const key = (): string => `k${sequence++ % keyCount}`;
  const locks = new LockClients(clients, leaderHost);
  for (let at = 0; at < keyCount; at++) await clientOf(at).put(`k${at}`).value(value).exec();
  return {
    name: 'etcd',
    facts: {
      server: `etcd ${version}, 3 members, default timers (heartbeat 100 ms, election 1 s)`,
      client: `${clientName('etcd3')} (gRPC), ${connections} connections to the leader; failover through the HTTP gateway`,
      caveats: [
        'grpc-js saturates one core near 8,000 calls/s: at 256 clients it is the client that limits etcd',
        'locks are the server’s own v3lock service on a kept lease; etcd 3.4 serves short holds under contention only every 100 ms',
      ],
    },
    serverCount: members,
    pids: () => servers.flatMap((server) => server.pid ?? []),
    write: (client) => clientOf(client).put(key()).value(value).exec(),
    read: (client) => clientOf(client).get(key()).string(),
    contenders: (lock, count) => locks.open(lock, count),
    failover: failoverOf(servers, hosts),
    stop: async () => {
      for (const client of clients) client.close();
      locks.close();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

function serverOf(folder: string, at: number, clientUrl: string, peers: readonly string[]): ServerProcess {
  const own = peers[at] ?? '';
  return new ServerProcess(
    'etcd',
    [
      ...['--name', `m${at}`, '--data-dir', join(folder, `m${at}`), '--log-level', 'error'],
      ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...['--listen-peer-urls', own, '--initial-advertise-peer-urls', own],
      ...['--initial-cluster', peers.map((peer, number) => `m${number}=${peer}`).join(',')],
    ],
    join(folder, `m${at}.log`),
  );
}

async function healthy(host: string): Promise<true | null> {
  const answer = await fetch(`http://${host}/health`, { signal: AbortSignal.timeout(1_000) });
  return (await answer.text()).includes('true') ? true : null;
}

async function leaderOf(hosts: readonly string[]): Promise<number | null> {
  for (const [at, host] of hosts.entries()) {
    const answer = await fetch(`http://${host}/v3/maintenance/status`, {
      method: 'POST',
      body: '{}',
      signal: AbortSignal.timeout(500),
    }).catch(() => null);
    const status =
      answer === null ? null : ((await answer.json()) as { leader?: string; header?: { member_id?: string } });
    if (status?.leader !== undefined && status.leader === status.header?.member_id) return at;
  }
  return null;
}

function failoverOf(servers: readonly ServerProcess[], hosts: readonly string[]): FailoverSubject {
  return {
    leader: () => until('an etcd leader', 30_000, () => leaderOf(hosts)),
    hit: async (server, blow) => servers[server]?.signal(blow),
    async probe(server, timeoutMs) {
      const answer = await fetch(`http://${hosts[server] ?? ''}/v3/kv/put`, {
        method: 'POST',
        body: JSON.stringify({ key: 'a2V5', value: 'dmFs' }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await answer.text();
      if (!answer.ok || text.includes('error')) throw new Error(text.slice(0, 80));
    },
    async restore(server, blow) {
      if (blow === 'SIGSTOP') await servers[server]?.signal('SIGCONT');
      else servers[server]?.start();
      await until('the etcd member to be back', 30_000, () => healthy(hosts[server] ?? ''));
    },
  };
}

/** The v3lock service, which npm etcd3 does not offer: two small messages over the gRPC library that it brings. */
class LockClients {
  readonly #clients: readonly Etcd3Client[];
  readonly #callers: readonly UnaryCaller[];

  constructor(clients: readonly Etcd3Client[], host: string) {
    this.#clients = clients;
    const grpc = loadClient<Grpc>('@grpc/grpc-js');
    this.#callers = clients.map(
      () => new grpc.Client(host, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
    );
  }

  async open(lock: string, count: number): Promise<readonly Contender[]> {
    return Promise.all(
      Array.from({ length: count }, async (_, at): Promise<Contender> => {
        const caller = this.#callers[at % connections] as UnaryCaller;
        const lease = await (this.#clients[at % connections] as Etcd3Client).lease(60).grant();
        const request = Buffer.from(
          new BinaryWriter().uint32(10).string(lock).uint32(16).int64(BigInt(lease).toString()).finish(),
        );
        return {
          acquire: async () => keyIn(await call(caller, '/v3lockpb.Lock/Lock', request)),
          release: async (key) => {
            const unlock = new BinaryWriter()
              .uint32(10)
              .bytes(key as Uint8Array)
              .finish();
            await call(caller, '/v3lockpb.Lock/Unlock', Buffer.from(unlock));
          },
        };
      }),
    );
  }

  close(): void {
    for (const caller of this.#callers) caller.close();
  }
}

function call(caller: UnaryCaller, path: string, request: Buffer): Promise<Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    caller.makeUnaryRequest(path, same, same, request, (error, answer) => {
      if (error === null && answer !== undefined) resolve(answer);
      else reject(error ?? new Error(`${path} gave no answer`));
    });
  });
}

/** Field 2 of LockResponse: the key that stands for the holder. */
function keyIn(answer: Uint8Array): Uint8Array {
  const reader = new BinaryReader(answer);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 2 && type === WireType.LengthDelimited) return reader.bytes();
    reader.skip(type, field);
  }
  throw new Error('the lock answer has no key');
}
