import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RPCLink } from '@orpc/client/websocket';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSkeinClient } from '../../../shared/contract/client.ts';
import { readApiToken } from '../../../src-main/hosts/node/home-secrets.ts';
import { startNodeHost, type NodeHost } from '../../../src-main/hosts/node/node-host.ts';
import { fakeServices, framed, overview, stayOpen } from '../../unit/api/fake-services.ts';

let home: string;
let host: NodeHost;
let token: string;
let left: Promise<void>;
const silent = () => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'skein-web-'));
  const uiFolder = join(home, 'ui');
  await mkdir(join(uiFolder, 'assets'), { recursive: true });
  await writeFile(join(uiFolder, 'index.html'), '<!doctype html><title>Skein</title>');
  await writeFile(join(uiFolder, 'assets', 'app-1a2b.js'), 'export {};');
  await symlink(join(home, 'api-token'), join(uiFolder, 'linked.txt'));
  const gone = Promise.withResolvers<void>();
  left = gone.promise;
  const services = fakeServices({
    swarm: { watch: (call) => stayOpen([framed(overview)], call, () => gone.resolve()) },
  });
  host = await startNodeHost({ home, services, webPort: 0, uiFolder, requestStop: silent, log });
  token = await readApiToken(home);
});
afterAll(async () => {
  await host.stop();
  await rm(home, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks without the rules that fetch puts on Host and Origin. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: host.web.port,
        path,
        method: options.method ?? 'GET',
        headers: { host: `127.0.0.1:${host.web.port}`, ...options.headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    asked.on('error', reject);
    asked.end(options.body);
  });
}

const bearer = () => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });
const tokenOf = (address: string): string => new URL(address).hash.replace('#token=', '');
const signIn = (oneTime: string): Promise<Answer> =>
  ask('/api/session', {
    method: 'POST',
    headers: { origin: host.web.origin, 'content-type': 'application/json' },
    body: JSON.stringify({ token: oneTime }),
  });

async function cookie(): Promise<string> {
  const { headers } = await signIn(tokenOf(host.web.newAddress()));
  return headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
}

/** The status a WebSocket is refused with, or 101. */
function upgradeStatus(headers: Record<string, string>, path = '/api/ws'): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.web.port}${path}`, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (asked, response) => {
      asked.destroy();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', silent);
  });
}

describe('files', () => {
  it('are served with a policy that allows nothing foreign', async () => {
    const { status, headers, text } = await ask('/');
    expect([status, text]).toEqual([200, '<!doctype html><title>Skein</title>']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  });

  it('are kept for good when their names hold their hash', async () => {
    expect((await ask('/assets/app-1a2b.js')).headers['cache-control']).toContain('immutable');
    expect((await ask('/')).headers['cache-control']).toBe('no-cache');
  });

  it('answer places inside the app with its page', async () => {
    expect((await ask('/tasks/81')).text).toContain('<title>Skein</title>');
  });

  it.each([
    '/../api-token',
    '/%2e%2e/api-token',
    '/..%2fapi-token',
    '/assets/..%5c..%5capi-token',
    '/.hidden',
    '/%00',
    '/%zz',
    '/linked.txt',
    '/missing.js',
  ])('never come from outside the folder: %s', async (path) => {
    const { status, text } = await ask(path);
    expect(status).toBe(404);
    expect(text).not.toContain(token);
  });
});

describe('who may ask', () => {
  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1'])(
    'refuses the host name “%s”',
    async (name) => {
      const { status, text } = await ask('/', { headers: { host: name } });
      expect(status).toBe(403);
      expect(text).not.toContain('<title>');
    },
  );

  it('answers for localhost', async () => {
    expect((await ask('/', { headers: { host: `localhost:${host.web.port}` } })).status).toBe(200);
  });

  it('refuses pages of other sites, whatever they know', async () => {
    const { status } = await ask('/api/v1/swarm/overview', {
      method: 'POST',
      headers: { ...bearer(), origin: 'http://evil.example' },
    });
    expect(status).toBe(403);
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer wrong' }],
    ['another scheme', { authorization: 'Basic abc' }],
  ])('refuses scripts with %s', async (_what, headers) => {
    const { status, text } = await ask('/api/v1/swarm/overview', { method: 'POST', headers });
    expect(status).toBe(401);
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'not-authorised', hint: expect.stringContaining('api-token') },
    });
  });

  it('does not take the cookie for what scripts do', async () => {
    const { status } = await ask('/api/v1/swarm/overview', { method: 'POST', headers: { cookie: await cookie() } });
    expect(status).toBe(401);
  });
});

describe('signing in', () => {
  it('works once for each address', async () => {
    const oneTime = tokenOf(host.web.newAddress());
    const first = await signIn(oneTime);
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']?.[0]).toMatch(/^skein_\d+=[^;]+; HttpOnly; SameSite=Strict; Path=\//);
    expect((await signIn(oneTime)).status).toBe(401);
  });

  it.each(['', 'wrong', 'x'.repeat(5_000)])('refuses the token “%.10s”', async (wrong) => {
    const { status, headers } = await signIn(wrong);
    expect(status).toBe(401);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('tells whether one is signed in', async () => {
    const present = await cookie();
    expect(JSON.parse((await ask('/api/session', { headers: { cookie: present } })).text)).toEqual({ signedIn: true });
    expect(JSON.parse((await ask('/api/session', { headers: { cookie: `${present}x` } })).text)).toEqual({
      signedIn: false,
    });
    expect(JSON.parse((await ask('/api/session')).text)).toEqual({ signedIn: false });
  });
});

describe('the WebSocket', () => {
  it('lets in our own page with its cookie, and scripts with the token', async () => {
    expect(await upgradeStatus({ cookie: await cookie(), origin: host.web.origin })).toBe(101);
    expect(await upgradeStatus(bearer())).toBe(101);
  });

  it('refuses everybody else', async () => {
    const present = await cookie();
    expect(await upgradeStatus({ origin: host.web.origin })).toBe(401);
    expect(await upgradeStatus({ cookie: present })).toBe(401);
    expect(await upgradeStatus({ cookie: present, origin: 'http://evil.example' })).toBe(403);
    expect(await upgradeStatus({ cookie: present, origin: host.web.origin, host: 'evil.example' })).toBe(403);
    expect(await upgradeStatus(bearer(), '/other')).toBe(404);
  });

  it('carries calls and live views, and tells the source when its reader is gone', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.web.port}/api/ws`, { headers: bearer() });
    const client = createSkeinClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }));
    expect((await client.swarm.overview()).view.state).toBe('healthy');
    const frames = await client.swarm.watch();
    expect(await frames.next()).toMatchObject({ value: { sequence: 1 } });
    socket.terminate();
    await left;
  });
});

describe('plain HTTP', () => {
  it('answers JSON under /api/v1 and describes it', async () => {
    const { status, text } = await ask('/api/v1/swarm/overview', { method: 'POST', headers: bearer() });
    expect([status, JSON.parse(text)]).toMatchObject([200, { view: { swarm: { name: 'workshop' } } }]);
    const described = JSON.parse((await ask('/api/openapi.json', { headers: bearer() })).text);
    expect(Object.keys(described.paths)).toContain('/tasks/submit');
    expect((await ask('/api/openapi.json')).status).toBe(401);
  });

  it('names the field of a wrong input', async () => {
    const { status, text } = await ask('/api/v1/swarm/create', {
      method: 'POST',
      headers: bearer(),
      body: '{"name":""}',
    });
    expect(status).toBe(400);
    expect(text).toContain('name');
  });

  it('refuses a body that is too long', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(33 * 1_024 * 1_024) });
    const { status } = await ask('/api/v1/swarm/create', {
      method: 'POST',
      headers: { ...bearer(), 'content-length': String(body.length) },
      body,
    }).catch(() => ({ status: 413 }));
    expect(status).toBe(413);
  });

  it('says so when there is no such thing', async () => {
    expect((await ask('/api/nothing')).status).toBe(404);
    expect((await ask('/api/v1/nothing', { method: 'POST', headers: bearer() })).status).toBe(404);
  });
});

describe('the port', () => {
  it('that is taken is named', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()));
    const { port } = other.address() as AddressInfo;
    const second = await mkdtemp(join(tmpdir(), 'skein-web-'));
    await expect(
      startNodeHost({
        home: second,
        services: fakeServices(),
        webPort: port,
        uiFolder: null,
        requestStop: silent,
        log,
      }),
    ).rejects.toMatchObject({
      failure: { code: 'port-in-use', message: expect.stringContaining(String(port)) },
    });
    other.close();
    await rm(second, { recursive: true, force: true });
  });

  it('is kept from one start to the next', async () => {
    const second = await mkdtemp(join(tmpdir(), 'skein-web-'));
    const options = { home: second, services: fakeServices(), webPort: null, uiFolder: null, requestStop: silent, log };
    const first = await startNodeHost(options);
    await first.stop();
    const again = await startNodeHost(options);
    expect(again.web.port).toBe(first.web.port);
    await again.stop();
    await rm(second, { recursive: true, force: true });
  });
});
