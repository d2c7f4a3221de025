import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { describe as layoutOf } from '../../../src-main/wire/composite.ts';
import { journalRecord } from '../../../src-main/wire/facts.ts';
import { nodeMessage } from '../../../src-main/wire/messages.ts';

it('has the layout that docs/protocols/wire.proto shows: a changed or reused field number changes that file too', async () => {
  const documented = await readFile(new URL('../../../docs/protocols/wire.proto', import.meta.url), 'utf8');
  expect(layoutOf(nodeMessage, journalRecord)).toBe(documented);
});
