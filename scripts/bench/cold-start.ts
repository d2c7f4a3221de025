import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kvKey, type NodeId } from '../../shared/domain/ids.ts';
import { openJournal } from '../../src-main/adapters/disk/segment-journal.ts';
import { openIdentity } from '../../src-main/adapters/libp2p/identity.ts';
import { systemClock, systemSeed } from '../../src-main/adapters/system/system-clock.ts';
import { createNode } from '../../src-main/core/node/node.ts';
import type { FrameTransport } from '../../src-main/ports/transport.ts';
import { inBatches } from '../../src-main/runtime/batches.ts';
import { createDriver } from '../../src-main/runtime/driver.ts';
import { recover } from '../../src-main/runtime/recovery.ts';
import { Requests } from '../../src-main/runtime/requests.ts';
import { beginBoot } from '../../src-main/services/node-record.ts';
import { valueOf } from '../../src-main/services/running-peer.ts';
import { swarmHome } from '../../src-main/services/swarm-home.ts';
import { NodeProcess, until } from '../swarm/node-process.ts';
import { keyCount, valueBytes } from './contestant.ts';
import { note, round, within } from './measure.ts';
import { builtNode, replicatedWrite } from './skein.ts';
import { usage } from './usage.ts';

export interface ColdStart {
  readonly entries: number;
  readonly journalBytes: number;
  /** From the start of the process to its answer to a write; all of it, Node's own start included. */
  readonly writeAfterMs: number;
  readonly rssMegabytes: number | null;
}

const underWay = 2_000;
const fillWithinMs = 240_000;

/** Gives a swarm of one machine a log of so many entries, through its own core and journal, and starts it cold. */
export async function coldStart(entries: number): Promise<ColdStart> {
  const folder = await mkdtemp(join(tmpdir(), 'skein-cold-'));
  const node = new NodeProcess({
    name: 'cold',
    home: join(folder, 'home'),
    flags: ['--log-level', 'warn'],
    program: await builtNode(),
  });
  try {
    await node.start();
    await node.api.swarm.create({ name: 'cold' });
    await until('a first write', 20_000, () => replicatedWrite(node.api).then(() => true));
    await node.stop();
    note(`bench: writing a log of ${entries} entries`);
    await fillLog(node.home, entries);
    const journal = swarmHome(node.home).journal;
    const sizes = await Promise.all((await readdir(journal)).map((name) => stat(join(journal, name))));
    const from = performance.now();
    await node.start();
    await until('a write after the cold start', 60_000, () => replicatedWrite(node.api).then(() => true), 5);
    const writeAfterMs = round(performance.now() - from, 0);
    return {
      entries,
      journalBytes: sizes.reduce((sum, { size }) => sum + size, 0),
      writeAfterMs,
      rssMegabytes: Math.round(((await usage(node.pid))?.rssBytes ?? Number.NaN) / 1e6),
    };
  } finally {
    await node.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Nobody else is there: a single voter needs no network. */
const alone = (self: NodeId): FrameTransport => ({
  self,
  send: () => undefined,
  connected: () => [],
  onFrame: () => undefined,
  onPeer: () => undefined,
});

async function fillLog(home: string, entries: number): Promise<void> {
  const identity = valueOf(await openIdentity(home));
  const record = await beginBoot(home);
  const opened = valueOf(await openJournal(swarmHome(home).journal));
  const node = createNode({
    self: { node: identity.id, incarnation: record.incarnation },
    recovered: valueOf(recover(opened)),
    seed: systemSeed(),
    members: [identity.id],
    wall: () => systemClock.wall(),
  });
  const requests: Requests = new Requests({
    client: `${identity.id}#${record.incarnation}.${record.boot}`,
    clock: systemClock,
    submit: inBatches((requests) => driver.input({ type: 'requested', requests })),
    hasCoordinator: () => node.coordinator !== null,
  });
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const driver = createDriver({
    node,
    journal: opened.journal,
    transport: alone(identity.id),
    clock: systemClock,
    logger: silent,
    onEvent: (event) => requests.onEvent(event),
    onFailed: (failure) => requests.end(failure),
  });
  driver.start();
  let left = entries;
  const value = 'v'.repeat(valueBytes);
  const write = async (): Promise<void> => {
    while (left-- > 0)
      await requests.propose({
        type: 'kv-transacted',
        by: identity.id,
        compares: [],
        thenOperations: [{ type: 'put', key: kvKey(`bench/k${left % keyCount}`), value, session: null }],
        elseOperations: [],
      });
  };
  try {
    await within(fillWithinMs, 'the log to be written', Promise.all(Array.from({ length: underWay }, write)));
  } finally {
    driver.stop();
    await opened.journal.close();
  }
}
