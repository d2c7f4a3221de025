import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { version } from '../../../src-main/services/version.ts';

it('the version people see is the one of the package', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../package.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ version });
});
