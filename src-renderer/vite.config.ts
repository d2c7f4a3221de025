import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

/**
 * Everything is a file of the same origin: the pages run under `script-src 'self'; style-src 'self'`, so no
 * asset may be inlined and no polyfill may be written into the page.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [tailwindcss(), svelte()],
  build: {
    outDir: fileURLToPath(new URL('../out/renderer', import.meta.url)),
    emptyOutDir: true,
    target: 'es2024',
    cssTarget: ['chrome140', 'firefox140', 'safari18'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
