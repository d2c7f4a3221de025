import { consensus } from './consensus.ts';
import { files } from './files.ts';
import { kv } from './kv.ts';
import { locks } from './locks.ts';
import { peers, policy } from './peers.ts';
import { swarm } from './swarm.ts';
import { tasks } from './tasks.ts';

/**
 * All that anyone who drives a peer may ask of it: the window, the browser, the command line and scripts alike.
 * The client, the handler table and the allowed names follow from this one table.
 */
export const contract = { swarm, peers, policy, tasks, locks, kv, files, consensus };
export type SkeinContract = typeof contract;

/** Raised when a client and a node process no longer understand each other. */
export const contractVersion = 1;
