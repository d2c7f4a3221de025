/** `npm run build`: the pages first, then the bundles of the desktop app where their configuration exists. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRenderer } from './build-renderer.ts';
import { runNodeTool } from './run-tool.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

process.stdout.write(`renderer: ${await buildRenderer()}\n`);
if (existsSync(join(root, 'electron.vite.config.ts'))) {
  const result = await runNodeTool('electron-vite', ['build'], { inherit: true });
  process.exitCode = result.exitCode;
}
