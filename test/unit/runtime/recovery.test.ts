import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../shared/domain/ids.ts';
import { createNode } from '../../../src-main/core/node/node.ts';
import { found, recover } from '../../../src-main/runtime/recovery.ts';
import { encodeSnapshot } from '../../../src-main/wire/facts.ts';
import { diskFailed, HeldJournal } from './fakes.ts';

const founder = { self: { node: nodeId('a'), incarnation: 'i1' }, rank: 100 };

describe('recovery', () => {
  it('of a founder gives what founding wrote: a swarm whose only voter it is', async () => {
    const journal = new HeldJournal();
    const founding = found(journal, founder);
    journal.complete();
    const founded = await founding;
    expect(founded.ok).toBe(true);
    if (!founded.ok || founded.value.snapshot === null) return;
    const records = encodeSnapshot(founded.value.snapshot);
    expect(recover({ journal, records, tornBytes: 0, created: false })).toEqual(founded);
    const node = createNode({
      self: founder.self,
      recovered: founded.value,
      seed: 1,
      members: [founder.self.node],
      wall: () => 0 as never,
    });
    expect(node.config?.voters).toEqual([{ ...founder.self, rank: 100 }]);
  });

  it('of an empty journal knows nothing', () => {
    expect(recover({ journal: new HeldJournal(), records: [], tornBytes: 0, created: false })).toEqual({
      ok: true,
      value: { snapshot: null, facts: [] },
    });
  });

  it('fails when founding cannot be written', async () => {
    const journal = new HeldJournal();
    const founding = found(journal, founder);
    journal.complete(diskFailed);
    expect(await founding).toEqual({ ok: false, failure: diskFailed });
  });

  it('fails on records it cannot read', () => {
    const damaged = recover({
      journal: new HeldJournal(),
      records: [new Uint8Array([1, 2, 3])],
      tornBytes: 0,
      created: false,
    });
    expect(damaged).toMatchObject({ ok: false, failure: { code: 'corrupt' } });
  });
});
