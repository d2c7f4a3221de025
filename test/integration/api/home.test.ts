import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { RPCLink } from '@orpc/client/message-port';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSkeinClient } from '../../../shared/contract/client.ts';
import { askControl, connectToNode } from '../../../src-main/hosts/cli/connection.ts';
import { controlAddress, homeFolder, socketPathBytesMax } from '../../../src-main/hosts/home-folder.ts';
import { isNodeAnswering } from '../../../src-main/hosts/node/control-socket.ts';
import { claimHome } from '../../../src-main/hosts/node/home-claim.ts';
import { startNodeHost, type NodeHost } from '../../../src-main/hosts/node/node-host.ts';
import { fakeServices, framed, overview, stayOpen } from '../../unit/api/fake-services.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'skein-home-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const startHost = (at: string, fakes = {}): Promise<NodeHost> =>
  startNodeHost({ home: at, services: fakeServices(fakes), webPort: 0, uiFolder: null, requestStop: silent, log });
const posix = process.platform !== 'win32';

describe('the home folder', () => {
  it.each([
    [undefined, {}, 'linux', '/home/anna/.local/share/skein'],
    [undefined, { XDG_DATA_HOME: '/data' }, 'darwin', '/data/skein'],
    [undefined, {}, 'darwin', '/home/anna/Library/Application Support/skein'],
    [undefined, { SKEIN_HOME: '/elsewhere' }, 'linux', '/elsewhere'],
    ['/asked', { SKEIN_HOME: '/elsewhere' }, 'linux', '/asked'],
  ] as const)('for %s and %j on %s is %s', (asked, env, platform, expected) => {
    expect(homeFolder(asked, env, platform, '/home/anna')).toBe(expected);
  });
});

describe('claiming a home', () => {
  it.runIf(process.platform === 'linux')('is refused where the system lets nobody make a folder', async () => {
    const refused = await claimHome('/proc/skein-home', () => Promise.resolve(false)).catch((error: unknown) => error);
    expect(refused).toMatchObject({ message: expect.stringContaining('/proc/skein-home') as string });
  });

  it('makes it, for this user alone', async () => {
    const made = join(home, 'new', 'one');
    const claim = await claimHome(made, async () => false);
    if (posix) expect((await stat(made)).mode & 0o077).toBe(0);
    await claim.release();
  });

  it('fails while another process holds it, and works once that is gone', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await writeFile(join(home, 'node.lock'), `${other.pid} abc\n`);
    await expect(claimHome(home, async () => false)).rejects.toMatchObject({
      failure: { code: 'already-exists', message: expect.stringContaining(String(other.pid)) },
    });
    other.kill('SIGKILL');
    await once(other, 'exit');
    const claim = await claimHome(home, async () => false);
    await claim.release();
    await expect(stat(join(home, 'node.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('lets only one of many at once have it after a crash', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']);
    await writeFile(join(home, 'node.lock'), `${gone.pid} abc\n`);
    const module = new URL('../../../src-main/hosts/node/home-claim.ts', import.meta.url).href;
    // Winners stay until their input ends, so that none gets it after another.
    const script = `const { claimHome } = await import(${JSON.stringify(module)});
      await claimHome(${JSON.stringify(home)}, async () => false).then(() => console.log('won'), (error) => console.log(error.failure.code));
      process.stdin.resume();`;
    const rivals = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const words = await Promise.all(rivals.map(async (rival) => String((await once(rival.stdout, 'data'))[0]).trim()));
    for (const rival of rivals) rival.stdin.end();
    await Promise.all(rivals.map((rival) => once(rival, 'exit')));
    expect(words.toSorted()).toEqual(['already-exists', 'already-exists', 'already-exists', 'won']);
  });

  it('names a folder that cannot be written', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(claimHome(join(home, 'file', 'below'), async () => false)).rejects.toMatchObject({
      failure: { code: 'disk-failed', hint: expect.stringContaining('--home') },
    });
  });
});

describe('the control socket', () => {
  it('is for this user alone and goes when the node stops', async () => {
    const host = await startHost(home);
    if (posix) expect((await stat(host.control.path)).mode & 0o777).toBe(0o600);
    expect(await isNodeAnswering(home)).toBe(true);
    expect(await askControl(home, 'GET', '/control/status')).toMatchObject({ pid: process.pid, home });
    await host.stop();
    expect(await isNodeAnswering(home)).toBe(false);
    await expect(connectToNode(home)).rejects.toMatchObject({ failure: { code: 'not-running' } });
  });

  it('is not taken from a node that answers', async () => {
    const host = await startHost(home);
    await expect(startHost(home)).rejects.toMatchObject({ failure: { code: 'already-exists' } });
    await host.stop();
  });

  it.runIf(posix)('replaces one that a killed node left behind', async () => {
    const path = controlAddress(home).path;
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect((await stat(path)).isSocket()).toBe(true);
    const host = await startHost(home);
    expect(await isNodeAnswering(home)).toBe(true);
    await host.stop();
  });

  it.runIf(posix)('lies elsewhere when the home’s path is too long for one, and is found there', async () => {
    const deep = join(home, 'd'.repeat(socketPathBytesMax));
    await mkdir(deep);
    const host = await startHost(deep);
    expect(host.control.path.startsWith(deep)).toBe(false);
    expect(JSON.parse(await readFile(join(deep, 'control.json'), 'utf8'))).toMatchObject({ path: host.control.path });
    const node = await connectToNode(deep);
    expect((await node.client.swarm.overview()).view.state).toBe('healthy');
    node.close();
    await host.stop();
    await rm(controlAddress(deep).folder ?? '', { recursive: true, force: true });
  });

  it('ends what a caller has open when the caller is gone', async () => {
    const left = Promise.withResolvers<void>();
    const host = await startHost(home, {
      swarm: { watch: (call: { signal: AbortSignal }) => stayOpen([framed(overview)], call, () => left.resolve()) },
    });
    const node = await connectToNode(home);
    await (await node.client.swarm.watch()).next();
    node.close();
    await left.promise;
    await host.stop();
  });

  it('tells something that is no node from a node', async () => {
    const path = controlAddress(home).path;
    const deaf = createServer((socket) => socket.end('what?\n'));
    await new Promise<void>((resolve) => deaf.listen(path, () => resolve()));
    await expect(connectToNode(home)).rejects.toMatchObject({ failure: { code: 'not-running' } });
    deaf.close();
  });
});

describe('a message port', () => {
  it('carries calls and live views and ends them when it is closed', async () => {
    const left = Promise.withResolvers<void>();
    const host = await startHost(home, {
      swarm: { watch: (call: { signal: AbortSignal }) => stayOpen([framed(overview)], call, () => left.resolve()) },
    });
    const { port1, port2 } = new MessageChannel();
    host.rpcPorts.serve(port1);
    port2.start();
    const client = createSkeinClient(new RPCLink({ port: port2 }));
    expect((await client.swarm.overview()).view.swarm?.name).toBe('workshop');
    const frames = await client.swarm.watch();
    expect(await frames.next()).toMatchObject({ value: { sequence: 1 } });
    port2.close();
    await left.promise;
    await host.stop();
  });
});
