/** Finds programs of the system, and installs Debian's packages where that is allowed. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where programs of the system's administrator are, which a user's search path may not name. */
const systemFolders = ['/usr/sbin', '/sbin'];

/** Whether this user may execute the file. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The whole path of a program, or null when it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders];
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

/** Whether packages may be installed here without asking: as root, on a system that descends from Debian. */
export const mayInstallPackages = (): boolean => process.getuid?.() === 0 && existsSync('/etc/debian_version');

/** Installs packages of Debian, within `msMax` milliseconds for each of two steps. Answers whether it worked. */
export function installPackages(packages: readonly string[], msMax: number): boolean {
  const steps = [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', ...packages],
  ];
  return steps.every((args) => {
    const result = spawnSync('apt-get', args, {
      // Its progress belongs to the error stream: standard output is the result of whoever asked.
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: msMax,
    });
    return result.status === 0;
  });
}
