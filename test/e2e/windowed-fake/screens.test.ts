import type { Server } from 'node:http';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { looksOf, picturesOf } from '../pictures.ts';
import { buildPages, builtPages, hasChromium, openBrowser } from './browser.ts';
import { servePages } from './page-server.ts';
import { screens, type Screen } from './screens.ts';

const wide = { width: 1_360, height: 860 };
const looks = looksOf('windowed-fake');
const pictures = picturesOf('windowed-fake');

describe.skipIf(!hasChromium)('the window over the fake, in Chromium', () => {
  let browser: Browser;
  let server: Server;
  let address: string;

  beforeAll(async () => {
    await buildPages();
    ({ server, address } = await servePages(builtPages));
    browser = await openBrowser();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Opens a screen and gathers whatever the page complains about: a broken content policy shows up here. */
  async function open(screen: Screen): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({
      viewport: wide,
      colorScheme: 'light',
      reducedMotion: 'reduce',
      deviceScaleFactor: 1,
      locale: 'en-GB',
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${address}?variant=${screen.variant ?? 'full'}${screen.route}`);
    await page.getByText(screen.ready).first().waitFor({ timeout: 30_000 });
    return { page, complaints };
  }

  for (const screen of screens) {
    test(`${screen.name} has no serious accessibility violation, breaks no content policy and fits 320 pixels`, async () => {
      const { page, complaints } = await open(screen);
      const serious: unknown[] = [];
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        // Until a frame is painted, part of the page still answers with the colours of the other theme.
        await page.evaluate(
          () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
        );
        if (screen.pictured === true) await page.screenshot({ path: `${pictures}/${screen.name}-${theme}.png` });
        serious.push(...(await seriousViolations(page)));
      }
      await page.setViewportSize({ width: 320, height: 640 });
      const width = await page.evaluate(() => document.scrollingElement?.scrollWidth ?? 0);
      await page.context().close();
      expect({ serious, complaints, width }).toEqual({ serious: [], complaints: [], width: 320 });
    }, 180_000);
  }

  test('forces a new quorum only with the names typed of those who are given up', async () => {
    const { page, complaints } = await open({
      name: 'force-quorum',
      route: '#/consensus',
      ready: 'Everybody waits for',
      variant: 'no-quorum',
    });
    await page.getByRole('button', { name: 'Go on without them…' }).click();
    const force = page.getByRole('button', { name: 'Force a new quorum' });
    await page.getByText('have votes and cannot be reached').waitFor();
    expect(await force.isDisabled()).toBe(true);
    const expected = (await page.locator('dialog label code').textContent()) ?? '';
    await page.getByLabel(/Type who is given up/).fill(expected);
    const serious = await seriousViolations(page);
    await page.screenshot({ path: `${looks}/force-quorum-light.png` });
    await force.click();
    await page.getByText('The swarm goes on in epoch 1, from entry 48,212.').waitFor();
    await page.context().close();
    expect({ serious, complaints }).toEqual({ serious: [], complaints: [] });
  }, 120_000);

  test('loses no letter that is typed right after the palette was opened, on a slow machine too', async () => {
    const { page } = await open({ name: 'palette', route: '#/tasks', ready: 'Tasks' });
    const line = await page.context().newCDPSession(page);
    await line.send('Emulation.setCPUThrottlingRate', { rate: 20 });
    await page.keyboard.press('Control+k');
    await page.keyboard.type('attic');
    expect(await page.getByPlaceholder(/^A machine, a job/).inputValue()).toBe('attic');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => location.hash), { timeout: 30_000 }).toMatch(/^#\/peers\/./);
    await page.context().close();
  }, 120_000);
});

async function seriousViolations(page: Page): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .map((violation) => ({
      rule: violation.id,
      where: violation.nodes.slice(0, 5).map((node) => `${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
    }));
}
