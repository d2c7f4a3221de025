import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The window over the fake, built as the product is, into a folder of its own: the fake never reaches the product. */
export default defineConfig({
  root: here('.'),
  base: './',
  publicDir: here('../../../src-renderer/public'),
  plugins: [tailwindcss(), svelte({ configFile: here('../../../src-renderer/svelte.config.js') })],
  build: {
    outDir: here('../../../out/windowed-fake'),
    emptyOutDir: true,
    target: 'es2024',
    cssTarget: ['chrome140', 'firefox140', 'safari18'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
