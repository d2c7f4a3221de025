import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { picturesOf } from '../pictures.ts';

const pictures = picturesOf('windowed-real');

/** A page that a real node serves, as a person has it before them, and all it complains about. */
export class RealWindow {
  readonly page: Page;
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** Opens the one-time address that a node announced. */
  static async open(browser: Browser, address: string): Promise<RealWindow> {
    const context = await browser.newContext({
      viewport: { width: 1_360, height: 860 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
      locale: 'en-GB',
    });
    const window = new RealWindow(await context.newPage());
    await window.page.goto(address);
    return window;
  }

  async go(route: string): Promise<void> {
    await this.page.evaluate((hash) => (location.hash = hash), route);
  }

  async sees(text: string | RegExp, withinMs = 60_000): Promise<void> {
    await this.page.getByText(text).first().waitFor({ timeout: withinMs });
  }

  press(...keys: readonly string[]): Promise<void> {
    return keys.reduce((before, key) => before.then(() => this.page.keyboard.press(key)), Promise.resolve());
  }

  /** What has the focus, as a screen reader would name it. */
  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
    });
  }

  /** Keeps a picture in both themes, and answers with the serious accessibility violations in the light one. */
  async picture(name: string): Promise<readonly string[]> {
    for (const theme of ['dark', 'light'] as const) {
      await this.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      // Until what the change of theme set in motion has ended, part of the page still has the colours of the other one.
      await this.page.evaluate(async () => {
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
        const moving = document.getAnimations().map((animation) => animation.finished.catch(() => null));
        await Promise.race([Promise.all(moving), new Promise((resolve) => setTimeout(resolve, 1_000))]);
      });
      await this.page.screenshot({ path: join(pictures, `${name}-${theme}.png`) });
    }
    return seriousViolations(this.page);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

async function seriousViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .map((violation) => `${violation.id} at ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`);
}
