import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wallTime } from '../../shared/domain/ids.ts';
import { createIdentity, openIdentity } from '../../src-main/adapters/libp2p/identity.ts';
import { verifySignature } from '../../src-main/swarm/signature.ts';
import { foundSwarm, keepSaved, openMembership, saveMembership } from '../../src-main/swarm/swarm-file.ts';
import { must } from './libp2p-swarm.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'skein-home-'));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

test('an identity is made once, kept for its owner only, and signs for its id', async () => {
  const first = must(await openIdentity(home));
  const again = must(await openIdentity(home));
  const bytes = Buffer.from('words');
  expect(again.id).toBe(first.id);
  expect(verifySignature(first.id, bytes, again.sign(bytes))).toBe(true);
  expect(verifySignature((await createIdentity()).id, bytes, again.sign(bytes))).toBe(false);
  if (process.platform !== 'win32') expect((await stat(join(home, 'identity.key'))).mode & 0o777).toBe(0o600);
});

test('a damaged key is reported and left as it is', async () => {
  await writeFile(join(home, 'identity.key'), 'garbage');
  expect(await openIdentity(home)).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
  expect(await readdir(home)).toEqual(['identity.key']);
});

test('a swarm comes back from disk as it was, with every change made meanwhile', async () => {
  const founder = await createIdentity();
  const set = must(foundSwarm(founder, { name: 'home', founderName: 'desk', now: wallTime(1) }));
  expect(await openMembership(home)).toEqual({ ok: true, value: null });
  must(await saveMembership(home, set));
  const saver = keepSaved(home, set, ({ message }) => {
    throw new Error(message);
  });
  for (let count = 0; count < 5; count += 1) {
    must(set.grant(founder, { member: (await createIdentity()).id, name: 'x', role: 'worker', now: wallTime(2) }));
  }
  await saver.stop();
  expect(must(await openMembership(home))?.encode()).toBe(set.encode());
  expect(await readdir(home)).toEqual(['swarm.json']);
});

test('a damaged swarm file is a failure that names the file', async () => {
  await writeFile(join(home, 'swarm.json'), '{"version":1,"genesis":');
  const opened = await openMembership(home);
  expect(opened).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
  expect(opened.ok ? '' : opened.failure.message).toContain('swarm.json');
});
