import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { must, TestSwarm, until } from './libp2p-swarm.ts';

let swarm: TestSwarm;
beforeEach(() => {
  swarm = new TestSwarm();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await swarm.stop();
});

test('a small frame costs one write to a socket, and its answer one more', async () => {
  const identities = await swarm.identities(2);
  const set = swarm.found(identities);
  for (const identity of identities) await swarm.add(identity, set);
  const [first, second] = swarm.members;
  if (first === undefined || second === undefined) throw new Error('two machines');
  must(await first.network.start());
  must(await second.network.start());
  must(second.network.addAddress(first.network.addresses()[0] ?? ''));
  await until(
    () => swarm.members.every(({ network }) => network.transport.connected().length === 1),
    'both are connected',
  );
  let answers = 0;
  const frame = Buffer.alloc(200);
  second.network.transport.onFrame((from) => second.network.transport.send(from, frame));
  first.network.transport.onFrame(() => {
    answers += 1;
  });
  const written = vi.spyOn(Socket.prototype, 'write');
  const frames = 200;
  for (let sent = 1; sent <= frames; sent++) {
    first.network.transport.send(second.identity.id, frame);
    await until(() => answers === sent, 'the answer arrives');
  }
  // What gossip and look-ups of a young swarm write meanwhile is far less than one write per frame.
  expect(written.mock.calls.length).toBeLessThan(2 * frames + frames / 2);
});
