/** `npm run test:integration`: real network on loopback, real disk, real processes. */
import { finish, runVitest } from './test-runs.ts';

finish(await runVitest(['integration'], { timeoutMs: 10 * 60_000, args: process.argv.slice(2) }));
