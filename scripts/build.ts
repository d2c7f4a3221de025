/** `npm run build`: the pages first, then the programs of the desktop app. */
import { buildDesktop } from './build-desktop.ts';
import { buildRenderer } from './build-renderer.ts';

process.stdout.write(`renderer: ${await buildRenderer()}\n`);
for (const file of await buildDesktop()) process.stdout.write(`desktop: ${file}\n`);
