/** `node scripts/run.mjs icons`: draws every image of `assets/` from its SVG sources. The images are committed; run this after a change. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from './chromium.ts';
import { icnsOf, icoOf } from './icon-files.ts';
import { traySvg, trayShapes, type TrayPaint } from './tray-drawing.ts';

const assets = fileURLToPath(new URL('../assets', import.meta.url));

/** Sizes of the app's icon in pixels, and the largest that is drawn from the simpler source. */
const iconSizes = [16, 24, 32, 48, 64, 128, 256, 512, 1024] as const;
const smallMost = 32;
const icoSizes = [16, 24, 32, 48, 64, 128, 256] as const;
const traySizes = { '': 16, '@2x': 32 } as const;
const trayPaints: Readonly<Record<string, TrayPaint>> = {
  Template: 'template',
  '-on-dark': 'on-dark',
  '-on-light': 'on-light',
};

/** Draws an SVG at a size, as PNG. */
type Draw = (svg: string, pixels: number) => Promise<Buffer>;

async function drawAll(draw: Draw): Promise<number> {
  const full = await readFile(join(assets, 'icon.svg'), 'utf8');
  const small = await readFile(join(assets, 'icon-small.svg'), 'utf8');
  const drawn = new Map<number, Buffer>();
  for (const pixels of iconSizes) drawn.set(pixels, await draw(pixels <= smallMost ? small : full, pixels));
  const image = (pixels: number): Buffer => drawn.get(pixels) ?? Buffer.alloc(0);

  const files = new Map<string, Buffer>();
  for (const pixels of iconSizes) files.set(`icons/${String(pixels)}x${String(pixels)}.png`, image(pixels));
  files.set('icon.png', image(512));
  files.set('icon.ico', icoOf(icoSizes.map((pixels) => ({ pixels, png: image(pixels) }))));
  files.set('icon.icns', icnsOf(image));
  await drawTray(draw, files);

  await rm(join(assets, 'icons'), { recursive: true, force: true });
  await rm(join(assets, 'tray'), { recursive: true, force: true });
  for (const [name, content] of files) {
    await mkdir(dirname(join(assets, name)), { recursive: true });
    await writeFile(join(assets, name), content);
  }
  return files.size;
}

async function drawTray(draw: Draw, files: Map<string, Buffer>): Promise<void> {
  for (const shape of trayShapes) {
    for (const [ending, paint] of Object.entries(trayPaints)) {
      const svg = traySvg(shape, paint);
      for (const [density, pixels] of Object.entries(traySizes))
        files.set(`tray/${shape}${ending}${density}.png`, await draw(svg, pixels));
      if (paint === 'template') continue;
      const sizes = await Promise.all(
        [16, 20, 24, 32].map(async (pixels) => ({ pixels, png: await draw(svg, pixels) })),
      );
      files.set(`tray/${shape}${ending}.ico`, icoOf(sizes));
    }
  }
}

async function drawInPage(page: Page, svg: string, pixels: number): Promise<Buffer> {
  const address = await page.evaluate(
    async ([source, size]) => {
      const image = new Image();
      image.src = `data:image/svg+xml;base64,${btoa(source)}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = size;
      canvas.height = size;
      canvas.getContext('2d')?.drawImage(image, 0, 0, size, size);
      return canvas.toDataURL('image/png');
    },
    [svg, pixels] as const,
  );
  return Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
}

const executablePath = findChromium();
if (executablePath === null) process.exit(1);
const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
  ],
});
try {
  const page = await browser.newPage();
  process.stdout.write(
    `drew ${String(await drawAll((svg, pixels) => drawInPage(page, svg, pixels)))} images into ${assets}\n`,
  );
} finally {
  await browser.close();
}
