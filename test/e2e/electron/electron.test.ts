import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { buildDesktop } from '../../../scripts/build-desktop.ts';
import { buildRenderer } from '../../../scripts/build-renderer.ts';
import { findElectron } from '../../../scripts/electron-binary.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = findElectron();
if (program === null) process.stdout.write('test/e2e/electron: skipped: no Electron binary\n');

describe.skipIf(program === null)(
  `the desktop app in Electron${program === null ? ' (skipped: no Electron binary)' : ''}`,
  () => {
    let app: ElectronApplication;
    let page: Page;
    let folder = '';

    beforeAll(async () => {
      await buildRenderer();
      await buildDesktop();
      folder = await mkdtemp(join(tmpdir(), 'skein-electron-'));
      app = await _electron.launch({
        executablePath: program ?? '',
        args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), `--user-data-dir=${join(folder, 'data')}`, root],
        env: { ...process.env, SKEIN_HOME: join(folder, 'home') },
      });
      page = await app.firstWindow();
    });
    afterAll(async () => {
      await app?.close();
      if (folder !== '') await rm(folder, { recursive: true, force: true });
    });

    test('the window shows the pages, filled by the node process', async () => {
      await page.getByRole('button', { name: 'Create a swarm' }).waitFor();
      expect(new URL(page.url()).origin).toBe('app://skein');
    });

    test('the page is isolated from the preload and has no Node', async () => {
      expect(
        await page.evaluate(() => [
          typeof (window as never as Record<string, unknown>)['require'],
          typeof (window as never as Record<string, unknown>)['process'],
        ]),
      ).toEqual(['undefined', 'undefined']);
      expect(await page.evaluate(() => Object.keys((window as never as { skein: object }).skein).sort())).toEqual([
        'notify',
        'pathsOf',
        'pickFiles',
        'platform',
        'requestPort',
      ]);
    });

    test('the page cannot navigate away, open a window or reach the network', async () => {
      const before = page.url();
      await page.evaluate(() => void (window.location.href = 'https://example.org/'));
      expect(await page.evaluate(() => window.open('https://example.org/') === null)).toBe(true);
      expect(
        await page.evaluate(() =>
          fetch('https://example.org/').then(
            () => 'reached',
            () => 'refused',
          ),
        ),
      ).toBe('refused');
      expect(page.url()).toBe(before);
      expect(app.windows()).toHaveLength(1);
    });

    test('permissions are denied', async () => {
      expect(
        await page.evaluate(() => navigator.permissions.query({ name: 'geolocation' }).then((status) => status.state)),
      ).toBe('denied');
    });
  },
);
