import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { identify } from '@libp2p/identify';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wallTime } from '../../shared/domain/ids.ts';
import { sharedParts } from '../../src-main/adapters/libp2p/create-node.ts';
import { frameBytesMax } from '../../src-main/core/machine/limits.ts';
import { must, TestSwarm, until } from './libp2p-swarm.ts';
import type { TestMember } from './libp2p-swarm.ts';

let swarm: TestSwarm;
beforeEach(() => {
  swarm = new TestSwarm();
});
afterEach(async () => {
  await swarm.stop();
});

/** A running swarm; each machine but the first is told only the first one's address. */
async function running(count: number): Promise<readonly [TestMember, TestMember, ...TestMember[]]> {
  const identities = await swarm.identities(count);
  const set = swarm.found(identities);
  for (const identity of identities) await swarm.add(identity, set);
  for (const { network } of swarm.members) must(await network.start());
  const [first, second, ...rest] = swarm.members;
  if (first === undefined || second === undefined) throw new Error('two machines at least');
  for (const { network } of [second, ...rest]) must(network.addAddress(first.network.addresses()[0] ?? ''));
  await until(
    () => swarm.members.every(({ network }) => network.transport.connected().length === count - 1),
    'all are connected',
  );
  return [first, second, ...rest];
}

test('three machines find each other through the address of one', async () => {
  const [first, second] = await running(3);
  expect(first.network.peers().map(({ id, connected }) => [id, connected])).toEqual(
    swarm.members.slice(1).map(({ identity }) => [identity.id, true]),
  );
  expect(must(await first.network.ping(second.identity.id))).toBeLessThan(5_000);
});

test('frames of both directions arrive whole and in order', async () => {
  const [first, second] = await running(2);
  const received: number[][] = [[], []];
  const lengths: number[] = [];
  second.network.transport.onFrame((_from, frame) => {
    received[0]?.push(Buffer.from(frame).readUInt32BE(0));
    lengths.push(frame.length);
  });
  first.network.transport.onFrame((_from, frame) => received[1]?.push(Buffer.from(frame).readUInt32BE(0)));
  const numbers = Array.from({ length: 5_000 }, (_, index) => index);
  for (const number of numbers) {
    // One large frame among small ones must neither be cut nor overtaken.
    const frame = Buffer.alloc(number === 2_500 ? 3 * 1_024 * 1_024 : 64);
    frame.writeUInt32BE(number, 0);
    first.network.transport.send(second.identity.id, frame);
    second.network.transport.send(first.identity.id, frame.subarray(0, 64));
  }
  await until(() => received.every((list) => list.length === numbers.length), 'all frames arrive');
  expect(received).toEqual([numbers, numbers]);
  expect(lengths[2_500]).toBe(3 * 1_024 * 1_024);
});

test('a frame too long, or for nobody, is dropped and counted', async () => {
  const [first, second] = await running(2);
  first.network.transport.send(second.identity.id, Buffer.alloc(frameBytesMax + 1));
  first.network.transport.send(first.identity.id, Buffer.alloc(1));
  expect(first.network.counters()).toMatchObject({ framesDropped: 2, framesSent: 0 });
});

test('a slow reader stops the writer, and all bytes arrive unchanged', async () => {
  const [first, second] = await running(2);
  const hash = createHash('sha256');
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  second.network.streams.handle('store', async (stream) => {
    await released;
    for await (const chunk of stream.chunks) hash.update(chunk);
    await stream.write(Buffer.from(hash.digest('hex')));
  });
  const piece = randomBytes(64 * 1_024);
  const pieces = 800;
  const expected = createHash('sha256');
  const stream = await first.network.streams.open(second.identity.id, 'store');
  let written = 0;
  const writing = (async () => {
    for (; written < pieces; written += 1) {
      expected.update(piece);
      await stream.write(piece);
    }
    await stream.closeWrite();
  })();
  let before = -1;
  await until(() => {
    const still = before === written && written > 0;
    before = written;
    return still;
  }, 'the writer waits');
  // The reader's buffer and one window are far less than this.
  expect(written).toBeLessThan(pieces / 10);
  release();
  await writing;
  let answer = '';
  for await (const chunk of stream.chunks) answer += Buffer.from(chunk).toString();
  expect(answer).toBe(expected.digest('hex'));
});

test('an unknown service and an absent machine are failures with a name', async () => {
  const [first, second] = await running(2);
  const stream = await first.network.streams.open(second.identity.id, 'nothing-here');
  await expect(stream.chunks[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    failure: { code: 'peer-unreachable' },
  });
  await expect(first.network.streams.open(first.identity.id, 'nothing-here')).rejects.toMatchObject({
    failure: { code: 'peer-unreachable' },
  });
});

test('a machine that stops is missed at once, and found again when it is back', async () => {
  const [first, second] = await running(2);
  const seen: boolean[] = [];
  first.network.transport.onPeer((_peer, connected) => seen.push(connected));
  await second.network.stop();
  await until(() => seen.includes(false), 'the loss is noticed', 2_000);
  must(await second.network.start());
  await until(() => seen.at(-1) === true, 'the return is noticed');
  expect(seen).toEqual([false, true]);
});

test('a stranger is refused before any protocol runs', async () => {
  const [first] = await running(2);
  const stranger = await createLibp2p({
    ...sharedParts(),
    services: { identify: identify({ protocolPrefix: 'skein' }) },
  });
  try {
    const connection = await stranger.dial(multiaddr(first.network.addresses()[0] ?? '')).catch(() => null);
    if (connection !== null) await expect(connection.newStream('/skein/bytes/1')).rejects.toThrow();
    await until(() => first.network.counters().strangersRefused > 0, 'the refusal is counted');
    expect(first.network.transport.connected()).toHaveLength(1);
  } finally {
    await stranger.stop();
  }
});

test('a revoked machine is disconnected everywhere', async () => {
  const [first, second, third] = await running(3);
  must(
    first.membership.revoke(first.identity, { member: second.identity.id, reason: 'retired', now: wallTime(9_000) }),
  );
  await until(() => third?.membership.isMember(second.identity.id) === false, 'the revocation spreads');
  await until(() => second.network.transport.connected().length === 0, 'it is disconnected');
  expect(first.network.transport.connected()).toEqual([third?.identity.id]);
});

test('a broadcast reaches the others with the id of its publisher', async () => {
  const [first, second, third] = await running(3);
  const heard: string[] = [];
  for (const network of [second.network, third?.network]) {
    network?.broadcast.subscribe('news', (from, bytes) => {
      if (from === first.identity.id) heard.push(Buffer.from(bytes).toString());
    });
  }
  // Subscriptions travel in their own time, and a hint may be lost: say it until it was heard.
  const timer = setInterval(() => {
    first.network.broadcast.publish('news', Buffer.from('hello'));
  }, 100);
  await until(() => heard.length >= 2, 'both hear it').finally(() => {
    clearInterval(timer);
  });
  expect(heard).toContain('hello');
});

test('the hash table knows the closest members and the newest record', async () => {
  const [first, , third] = await running(3);
  const closest = await first.network.dht.closestPeers(Buffer.from('key'));
  expect(closest.peers.map(({ id }) => id).sort()).toEqual(swarm.members.map(({ identity }) => identity.id).sort());
  expect(closest.peers.map(({ commonBits }) => commonBits)).toEqual(
    closest.peers.map(({ commonBits }) => commonBits).sort((left, right) => right - left),
  );
  must(await first.network.dht.put('note', Buffer.from('old'), 1));
  must(await first.network.dht.put('note', Buffer.from('new'), 2));
  const found = must(
    (await third?.network.dht.get(first.identity.id, 'note')) ?? {
      ok: false,
      failure: { code: 'internal', message: 'no third machine' },
    },
  );
  expect({ ...found, value: Buffer.from(found.value).toString() }).toEqual({ value: 'new', sequence: 2 });
});

test('a port that was asked for and is taken is named', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const identities = await swarm.identities(1);
  const { network } = await swarm.add(identities[0], swarm.found(identities), { port });
  const started = await network.start();
  await new Promise((resolve) => server.close(resolve));
  expect(started).toMatchObject({ ok: false, failure: { code: 'port-in-use' } });
  expect(started.ok ? '' : started.failure.message).toBe(`Another program has port ${port} on 127.0.0.1.`);
});

test('an address to listen on that this machine does not have is named', async () => {
  const identities = await swarm.identities(1);
  const { network } = await swarm.add(identities[0], swarm.found(identities), { listenHost: '192.0.2.1' });
  expect(await network.start()).toMatchObject({
    ok: false,
    failure: { code: 'bad-input', message: 'This machine has no address 192.0.2.1.' },
  });
});

test('a restart listens on the port of the last run', async () => {
  const identities = await swarm.identities(1);
  const { network } = await swarm.add(identities[0], swarm.found(identities));
  must(await network.start());
  const before = network.addresses();
  await network.stop();
  must(await network.start());
  expect(network.addresses()).toEqual(before);
});
