/** `npm run dev`: like `npm start`, with the pages built again whenever their sources change. Reload the window to see it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { buildRenderer } from './build-renderer.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

await buildRenderer();
const watcher = await build({
  configFile: join(root, 'src-renderer', 'vite.config.ts'),
  logLevel: 'info',
  // Emptying the folder at each change would leave a page that reloads just then without its files.
  build: { watch: {}, emptyOutDir: false },
});
const start = spawn(process.execPath, [join(root, 'scripts', 'start.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) start.kill(signal);
  });
}
start.once('exit', (code) => {
  process.exitCode = code ?? 1;
  if ('close' in watcher) void watcher.close().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
});
