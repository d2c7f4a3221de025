import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { build } from 'vite';

/** Debian's Chromium, or the one named by `SKEIN_CHROMIUM`. */
export const chromiumPath = process.env['SKEIN_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(chromiumPath);
export const builtPages = fileURLToPath(new URL('../../../out/windowed-fake', import.meta.url));

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** Builds the pages anew, so that what is tested is what is written; `SKEIN_PAGES_BUILT=1` trusts the last build. */
export async function buildPages(): Promise<void> {
  if (process.env['SKEIN_PAGES_BUILT'] === '1') return;
  await build({ configFile: fileURLToPath(new URL('./vite.config.ts', import.meta.url)), logLevel: 'warn' });
}
