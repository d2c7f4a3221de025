import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { coordinationPins, roles } from '../domain/member.ts';
import { procedure, viewOf, wallTimeSchema } from './base.ts';

export const acceptSchema = z.discriminatedUnion('from', [
  z.object({ from: z.literal('nobody') }),
  z.object({ from: z.literal('everyone') }),
  z.object({ from: z.literal('listed'), members: z.array(z.string()) }),
]);

export const peerSchema = z.object({
  id: z.string(),
  name: z.string(),
  self: z.boolean(),
  role: z.enum(roles),
  state: z.enum(['online', 'unreachable', 'never-seen']),
  /** Seat in the present voter configuration. */
  voter: z.boolean(),
  coordinator: z.boolean(),
  /** How much it is wanted as coordinator, from the log; null while nothing was decided about a machine without a seat. */
  rank: z.nullable(z.number()),
  pin: z.enum(coordinationPins),
  os: z.string(),
  arch: z.string(),
  memoryBytes: z.nullable(z.number()),
  slots: z.nullable(z.number()),
  running: z.number(),
  /** 0 to 1 of all cores, as the machine last said; null when it has not. */
  load: z.nullable(z.number()),
  loadAgeMs: z.nullable(z.number()),
  /** Of the Skein it runs, as it said when it last began a run; empty when it has not said. */
  version: z._default(z.string(), ''),
  /** The highest feature level of that; null when it has not said. */
  supports: z._default(z.nullable(z.number()), null),
  /** What it runs for others, in words. */
  accepts: z.string(),
  rttMs: z.nullable(z.number()),
  addresses: z.array(z.string()),
  /** Slots of the log this machine is known to hold, for voters and learners the coordinator hears. */
  committed: z.nullable(z.number()),
  lastSeen: z.nullable(wallTimeSchema),
  joinedAt: wallTimeSchema,
});
export type Peer = z.infer<typeof peerSchema>;

/** Machines run different versions of Skein: what the newest one brought waits for all of them. */
export const versionsSchema = z.object({
  /** Feature levels: what the swarm uses, and the highest that this machine supports. */
  level: z.number(),
  supports: z.number(),
  /** Names of machines that run an older version, or have not said what they run. */
  waitsFor: z.array(z.string()),
  /** The same in a sentence. */
  words: z.string(),
});

export type Versions = z.infer<typeof versionsSchema>;

export const peersViewSchema = z.object({
  peers: z.array(peerSchema),
  /** Null as a rule. */
  versions: z._default(z.nullable(versionsSchema), null),
});
export type PeersView = z.infer<typeof peersViewSchema>;

export const peers = {
  list: procedure.output(viewOf(peersViewSchema)),
  watch: procedure.output(eventIterator(viewOf(peersViewSchema))),
  ping: procedure.input(z.object({ id: z.string() })).output(z.object({ rttMs: z.number() })),
  /** Says what is asked of a machine as coordinator; all members take it over. Needs the admin role. */
  pin: procedure
    .input(z.object({ id: z.string(), pin: z.enum(coordinationPins) }))
    .output(z.object({ pin: z.enum(coordinationPins) })),
  /** Asks the distributed hash table which members are closest to a key, by XOR distance. */
  closest: procedure.input(z.object({ key: z.string().check(z.maxLength(200)) })).output(
    z.object({
      keyHash: z.string(),
      peers: z.array(z.object({ id: z.string(), name: z.string(), commonBits: z.number() })),
    }),
  ),
};

/** `until` null: until somebody at the machine says so. */
export const pauseSchema = z.nullable(z.object({ until: z.nullable(wallTimeSchema) }));

const ownerPolicySchema = z.object({
  accepts: acceptSchema,
  slots: z.number(),
  /** While it is paused the machine takes no new tasks, whatever else its owner allows. */
  paused: z._default(pauseSchema, null),
});

export const policy = {
  get: procedure.output(ownerPolicySchema),
  set: procedure
    .input(z.object({ accepts: z.optional(acceptSchema), slots: z.optional(z.number().check(z.gte(0), z.lte(1_024))) }))
    .output(ownerPolicySchema),
  /** Takes no new tasks for so long, or until `resume`; tasks that run go on. Kept across restarts. */
  pause: procedure
    .input(z.object({ forMs: z.nullable(z.number().check(z.gte(1_000), z.lte(31_536_000_000))) }))
    .output(ownerPolicySchema),
  resume: procedure.output(ownerPolicySchema),
};
