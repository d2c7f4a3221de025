import { cp, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LocalSwarm } from '../../scripts/swarm/local-swarm.ts';
import { until, type NodeProcess } from '../../scripts/swarm/node-process.ts';
import type { ConsensusView } from '../../shared/contract/consensus.ts';
import { folderBirth } from '../../src-main/services/folder-birth.ts';

const waitMs = 30_000;
let swarm: LocalSwarm | null = null;

afterEach(async () => {
  await swarm?.dispose();
  swarm = null;
});

const consensus = async (node: NodeProcess): Promise<ConsensusView> => (await node.api.consensus.status()).view;
const own = (view: ConsensusView) => view.replicas.find(({ self }) => self);

const probe = await mkdtemp(join(tmpdir(), 'skein-birth-'));
const systemTells = (await folderBirth(probe)) !== null;
await rmdir(probe);

it.runIf(systemTells)(
  'a voter that came back from a backup votes under another name, once it has the log',
  async () => {
    swarm = await LocalSwarm.found({ name: 'backup', machines: ['ada', 'bob', 'cyd'] });
    const [ada, , cyd] = swarm.nodes;
    if (ada === undefined || cyd === undefined) throw new Error('three machines were asked for');
    await until('three voters', waitMs, async () => ((await consensus(ada)).config?.voters === 3 ? true : null));
    const seat = own(await consensus(cyd))?.incarnation;
    // Killed each time: a machine that says goodbye gives its seat away first.
    await cyd.kill();
    const backup = `${cyd.home}-backup`;
    await cp(cyd.home, backup, {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !path.endsWith('.sock'),
    });
    await cyd.start();
    await ada.api.kv.put({ key: 'since', value: 'the backup' });
    await cyd.kill();
    await rm(cyd.home, { recursive: true });
    await cp(backup, cyd.home, { recursive: true, preserveTimestamps: true });
    await cyd.start();
    await until('cyd to vote again under another name', waitMs, async () => {
      const mine = own(await consensus(cyd));
      return mine?.voter === true && mine.incarnation !== seat ? mine : null;
    });
    expect((await cyd.api.kv.get({ key: 'since' })).entry?.value).toBe('the backup');
    await rm(backup, { recursive: true });
  },
);
