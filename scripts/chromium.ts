/** Finds a Chromium for browser tests, and installs Debian's where that is allowed and possible. */
import { findProgram, installPackages, isProgram, mayInstallPackages } from './programs.ts';

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
  if (mayInstallPackages() && process.env['SKEIN_CHROMIUM'] === undefined) {
    say('chromium: not found; installing it with apt-get');
    if (installPackages(['chromium', 'fonts-liberation'], packageManagerMsMax)) return installedChromium();
    say('chromium: apt-get could not install it');
  }
  say(
    'chromium: not found, so browser tests are skipped. Install Chromium or Chrome, or set SKEIN_CHROMIUM to its path.',
  );
  return null;
}

/** Like {@link findChromium}, but only looks. */
export function installedChromium(): string | null {
  const wished = process.env['SKEIN_CHROMIUM'];
  if (wished !== undefined) return isProgram(wished) ? wished : null;
  return names.map(findProgram).find((found) => found !== null) ?? fixedPlaces.find(isProgram) ?? null;
}
