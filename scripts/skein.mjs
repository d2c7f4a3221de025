#!/usr/bin/env node
/** The command line from a clone: `npx skein …`. Sets up without a word, then hands over. */
import { join } from 'node:path';
import { report, root, runOn, setUp } from './set-up.mjs';

setUp({ quiet: true })
  .then((node) => runOn(node, join(root, 'src-main', 'hosts', 'cli', 'main.ts'), process.argv.slice(2)))
  .catch(report);
