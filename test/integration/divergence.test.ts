import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LocalSwarm } from '../../scripts/swarm/local-swarm.ts';
import { until, type NodeProcess } from '../../scripts/swarm/node-process.ts';
import type { ConsensusView } from '../../shared/contract/consensus.ts';
import { openJournal } from '../../src-main/adapters/disk/segment-journal.ts';
import { entriesPerCheckpoint } from '../../src-main/core/machine/limits.ts';
import type { NodeFact } from '../../src-main/core/node/messages.ts';
import type { Entry } from '../../src-main/core/paxos/messages.ts';
import type { LoggedRequest } from '../../src-main/core/state-machine/command.ts';
import { decodeJournal, encodeFact, encodeSnapshot } from '../../src-main/wire/facts.ts';

const altered = 'k/7';
const waitMs = 30_000;
let swarm: LocalSwarm | null = null;

afterEach(async () => {
  await swarm?.dispose();
  swarm = null;
});

async function put(node: NodeProcess, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += 50) {
    const count = Math.min(50, to - first);
    const puts = Array.from({ length: count }, (_, at) =>
      node.api.kv.put({ key: `k/${first + at}`, value: `value ${first + at}` }),
    );
    await Promise.all(puts);
  }
}

const consensus = async (node: NodeProcess): Promise<ConsensusView> => (await node.api.consensus.status()).view;

const seatOf = (view: ConsensusView): string | null => view.replicas.find(({ self }) => self)?.incarnation ?? null;

function withOtherValue(entry: Entry<LoggedRequest>): Entry<LoggedRequest> {
  if (entry.type !== 'payload') return entry;
  const { request } = entry.payload;
  if (request.command.type !== 'kv-transacted') return entry;
  const thenOperations = request.command.thenOperations.map((operation) =>
    operation.type === 'put' && operation.key === altered ? { ...operation, value: 'altered' } : operation,
  );
  const command = { ...request.command, thenOperations };
  return { type: 'payload', payload: { ...entry.payload, request: { ...request, command } } };
}

/** Writes another value into one entry of the journal, with checksums that are right. */
async function alterJournal(home: string): Promise<void> {
  const opened = await openJournal(join(home, 'journal'), { makeRoom: () => Promise.resolve(false) });
  if (!opened.ok) throw new Error(opened.failure.message);
  const { journal, records } = opened.value;
  const recovered = decodeJournal(records);
  if (!recovered.ok) throw new Error(recovered.failure.message);
  const { snapshot } = recovered.value;
  const facts = recovered.value.facts.map((fact): NodeFact =>
    'entries' in fact ? { ...fact, entries: fact.entries.map(withOtherValue) } : fact,
  );
  expect(facts).not.toEqual(recovered.value.facts);
  const head = [...(snapshot === null ? [] : encodeSnapshot(snapshot)), ...facts.flatMap(encodeFact)];
  await new Promise<void>((resolve, reject) => {
    journal.replaceHead(head, (failure) => (failure === undefined ? resolve() : reject(new Error(failure.message))));
  });
  await journal.close();
}

it('a machine whose journal says something else, with right checksums, is found and learns from the others', async () => {
  swarm = await LocalSwarm.found({ name: 'drill', machines: ['ada', 'bob', 'cyd'] });
  const [ada, , cyd] = swarm.nodes;
  if (ada === undefined || cyd === undefined) throw new Error('three machines were asked for');
  await put(ada, 0, 100);
  const seat = seatOf(await consensus(cyd));
  await cyd.stop();
  await alterJournal(cyd.home);
  await cyd.start();
  await until('cyd to show what its journal says', waitMs, async () => {
    const { entry } = await cyd.api.kv.get({ key: altered, stale: true });
    return entry?.value === 'altered' ? entry : null;
  });
  await until('cyd to follow', waitMs, async () => ((await consensus(cyd)).coordinator === null ? null : true));
  await put(ada, 100, entriesPerCheckpoint);
  const back = await until('cyd to vote again under another name', waitMs, async () => {
    const view = await consensus(cyd);
    const own = seatOf(view);
    return own !== null && own !== seat ? view : null;
  });
  expect(back.divergences).toEqual([]);
  expect((await cyd.api.kv.get({ key: altered })).entry?.value).toBe('value 7');
  expect((await consensus(ada)).divergences).toMatchObject([{ node: { name: 'cyd' }, settled: true }]);
  expect(await readdir(join(cyd.home, 'suspect'))).toHaveLength(1);
}, 120_000);
