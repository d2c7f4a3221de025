import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** The library's wrappers carry their style in an attribute, which the content policy of the pages refuses. */
const styleOfWrappers = {
  name: 'style-of-wrappers',
  markup: ({ content, filename }) =>
    filename?.includes('bits-ui') === true
      ? { code: content.replaceAll('style="display: contents;"', 'class="unboxed"') }
      : undefined,
};

export default {
  preprocess: [styleOfWrappers, vitePreprocess()],
  compilerOptions: { runes: true },
};
