/** Finds Spin and a C compiler for the models, and installs Debian's where that is allowed and possible. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface ModelTools {
  readonly spin: string;
  readonly compiler: string;
}

/** Exit code of `models` on a machine that cannot check any: for `npm test`, a step skipped and not failed. */
export const modelToolsMissing = 3;

const packageManagerMsMax = 5 * 60_000;

/** Returns both programs, or null after saying what is missing and how to get it. */
export function findModelTools(
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): ModelTools | null {
  const found = installedTools();
  if (found !== null) return found;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    say('models: spin or a C compiler is not there; installing them with apt-get');
    if (installWithApt()) return installedTools();
    say('models: apt-get could not install them');
  }
  say(
    'models: they need spin (6.5 or later, spinroot.com) and gcc or clang on the PATH.\n' +
      '  Debian, Ubuntu: sudo apt-get install spin gcc libc6-dev    macOS: brew install spin',
  );
  return null;
}

function installedTools(): ModelTools | null {
  const spin = onPath('spin');
  const compiler = onPath('gcc') ?? onPath('clang') ?? onPath('cc');
  // Programs of other trades are called spin, too.
  const isModelChecker =
    spin !== null && spawnSync(spin, ['-V'], { encoding: 'utf8' }).stdout.startsWith('Spin Version');
  return isModelChecker && compiler !== null ? { spin, compiler } : null;
}

function onPath(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installWithApt(): boolean {
  const steps = [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', 'spin', 'gcc', 'libc6-dev'],
  ];
  return steps.every((args) => {
    const result = spawnSync('apt-get', args, {
      // Its progress belongs to the error stream: standard output is the table.
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: packageManagerMsMax,
    });
    return result.status === 0;
  });
}
