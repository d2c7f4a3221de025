/**
 * `npm start [-- --home DIR …]`: opens the desktop app. Where no Electron program is found it says so, starts the node
 * process by itself and opens the same pages in the browser; they run until Ctrl+C.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { buildDesktop } from './build-desktop.ts';
import { buildRenderer } from './build-renderer.ts';
import { findElectron } from './electron-binary.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs a program with our signals until it ends; answers with its exit code. */
function follow(child: ReturnType<typeof spawn>): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A terminal gives Ctrl+C to both; other ways of asking reach only us.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) => {
      say(`skein: ${child.spawnfile} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128));
  });
}

async function startDesktop(electron: string, args: readonly string[]): Promise<number> {
  await buildRenderer();
  await buildDesktop();
  return follow(spawn(electron, [root, ...args], { stdio: 'inherit', cwd: root }));
}

async function startInBrowser(args: readonly string[]): Promise<number> {
  say('skein: no Electron program was found, so the same pages open in the browser.');
  say('       For a window of its own: npx install-electron, or set ELECTRON_PATH to the program.');
  const ui = await buildRenderer();
  const program = join(root, 'src-main', 'hosts', 'node', 'main.ts');
  const child = spawn(process.execPath, [program, '--json', '--ui', ui, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const address = addressIn(line);
    if (address === null) {
      process.stdout.write(`${line}\n`);
      return;
    }
    process.stdout.write(`Skein is ready: ${address}\n`);
    openBrowser(address);
    say('Press Ctrl+C to stop.');
  });
  return follow(child);
}

/** The address in the line by which the node says that it is ready; null for any other line. */
function addressIn(line: string): string | null {
  try {
    const parsed = JSON.parse(line) as { kind?: unknown; address?: unknown };
    return parsed.kind === 'Ready' && typeof parsed.address === 'string' ? parsed.address : null;
  } catch {
    return null;
  }
}

/** Opens the address where there is a screen to open it on; it is printed in any case. */
function openBrowser(address: string): void {
  const hasScreen =
    process.platform !== 'linux' ||
    process.env['DISPLAY'] !== undefined ||
    process.env['WAYLAND_DISPLAY'] !== undefined;
  if (!hasScreen || process.env['SKEIN_NO_BROWSER'] !== undefined) return;
  const [program, args] =
    process.platform === 'darwin'
      ? (['open', [address]] as const)
      : process.platform === 'win32'
        ? (['rundll32', ['url.dll,FileProtocolHandler', address]] as const)
        : (['xdg-open', [address]] as const);
  const opener = spawn(program, args, { stdio: 'ignore', detached: true });
  opener.once('error', () => say('(no browser could be opened: open the address yourself)'));
  opener.unref();
}

const args = process.argv.slice(2);
const electron = findElectron();
process.exitCode = electron === null ? await startInBrowser(args) : await startDesktop(electron, args);
