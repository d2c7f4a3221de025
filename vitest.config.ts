import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const limits = { testTimeout: 20_000, hookTimeout: 20_000, teardownTimeout: 10_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          ...limits,
          include: ['test/{unit,properties,acceptance,scenarios,simulator,checkers}/**/*.test.ts'],
        },
      },
      {
        // Real sockets, disks and processes: slower, and easily slowed further by neighbours.
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          ...limits,
          testTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        plugins: [svelte({ configFile: 'src-renderer/svelte.config.js' })],
        test: { name: 'renderer', ...limits, include: ['test/renderer/**/*.test.ts'] },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          ...limits,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
