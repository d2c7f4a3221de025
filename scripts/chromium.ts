/** Finds a Chromium for browser tests, and installs Debian's where that is allowed and possible. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const fixedPlaces = [
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
const packageManagerMsMax = 8 * 60_000;

/** Returns the path of a Chromium, or null after saying what is missing. Callers go on without it. */
export function findChromium(
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): string | null {
  const found = installedChromium();
  if (found !== null) return found;
  if (canInstall()) {
    say('chromium: not found; installing it with apt-get');
    if (installWithApt()) return installedChromium();
    say('chromium: apt-get could not install it');
  }
  say(
    'chromium: not found, so browser tests are skipped. Install Chromium or Chrome, or set SKEIN_CHROMIUM to its path.',
  );
  return null;
}

/** Like {@link findChromium}, but only looks. */
export function installedChromium(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const onPath = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const wished = process.env['SKEIN_CHROMIUM'];
  const candidates = wished === undefined ? [...onPath, ...fixedPlaces] : [wished];
  return candidates.find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && process.env['SKEIN_CHROMIUM'] === undefined;
}

function installWithApt(): boolean {
  const steps = [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', 'chromium', 'fonts-liberation'],
  ];
  return steps.every((args) => {
    const result = spawnSync('apt-get', args, {
      // Its progress belongs to the error stream: standard output ends with the result line.
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: packageManagerMsMax,
    });
    return result.status === 0;
  });
}
