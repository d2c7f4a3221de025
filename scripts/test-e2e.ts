/** `npm run test:e2e`: node processes and windows, from the outside. */
import { finish, runEndToEnd } from './test-runs.ts';

finish(await runEndToEnd(20 * 60_000, process.argv.slice(2)));
