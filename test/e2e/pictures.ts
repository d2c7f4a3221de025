import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where pictures are put that only whoever looks at a failure wants to see; made when it is not there. */
export const looksOf = (suite: string): string => made(join(root, 'test-results', suite));

/** The pictures of the documents, with `SKEIN_PICTURES=1`; otherwise a run leaves those as they are. */
export const picturesOf = (suite: string): string =>
  process.env['SKEIN_PICTURES'] === '1' ? made(join(root, 'docs', 'screenshots')) : looksOf(suite);

function made(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
