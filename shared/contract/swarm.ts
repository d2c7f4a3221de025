import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { roles } from '../domain/member.ts';
import { nodeRefSchema, procedure, viewOf, wallTimeSchema } from './base.ts';
import { pauseSchema, versionsSchema } from './peers.ts';

/** `founding`: has no swarm yet. `alone`: the only member. Others as in the status bar. */
export const swarmStates = ['none', 'alone', 'healthy', 'degraded', 'electing', 'no-quorum'] as const;

const voterSchema = z.object({ node: nodeRefSchema, rank: z.number(), reachable: z.boolean() });

export const overviewSchema = z.object({
  version: z.string(),
  self: z.object({
    id: z.string(),
    name: z.string(),
    role: z.enum(['learner', 'voter', 'candidate', 'coordinator']),
    addresses: z.array(z.string()),
    home: z.string(),
    startedAt: wallTimeSchema,
    slots: z.number(),
    running: z.number(),
    /** This machine takes no new tasks now. */
    paused: z._default(pauseSchema, null),
  }),
  swarm: z.nullable(z.object({ id: z.string(), name: z.string() })),
  state: z.enum(swarmStates),
  /** One sentence for the banner or the chip: what is the matter, since when, what waits. Empty when all is well. */
  message: z.string(),
  members: z.object({ total: z.number(), reachable: z.number() }),
  /** Null as a rule. */
  versions: z._default(z.nullable(versionsSchema), null),
  coordinator: z.nullable(
    z.object({ node: nodeRefSchema, ballot: z.string(), since: wallTimeSchema, reason: z.string() }),
  ),
  quorum: z.object({ voters: z.array(voterSchema), reachable: z.number(), needed: z.number(), mayFail: z.number() }),
  log: z.object({
    committed: z.number(),
    applied: z.number(),
    configId: z.number(),
    /** With one voter: entries that no second disk is known to hold, the newest ones. Told by the coordinator only. */
    singleCopies: z.optional(z.nullable(z.object({ firstSlot: z.number(), count: z.number() }))),
  }),
  tasks: z.object({
    waiting: z.number(),
    running: z.number(),
    succeeded: z.number(),
    failed: z.number(),
    /** Slots of all machines: in use and in all. */
    slotsUsed: z.number(),
    slotsTotal: z.number(),
  }),
  locks: z.object({ held: z.number(), waiting: z.number() }),
  /** Why work waits although machines are idle, in one sentence; empty when it is not so. */
  insight: z.string(),
  activity: z.array(
    z.object({
      id: z.number(),
      at: wallTimeSchema,
      kind: z.enum(['coordinator', 'member', 'task', 'lock', 'config', 'refused', 'policy']),
      text: z.string(),
    }),
  ),
});
export type Overview = z.infer<typeof overviewSchema>;

export const invitationSchema = z.object({
  link: z.string(),
  expiresAt: wallTimeSchema,
  role: z.enum(roles),
  addresses: z.array(z.string()),
});

export const pairingRequestSchema = z.object({
  id: z.string(),
  name: z.string(),
  os: z.string(),
  /** The same short words both screens show. */
  words: z.array(z.string()),
  role: z.enum(roles),
  at: wallTimeSchema,
});
export type PairingRequest = z.infer<typeof pairingRequestSchema>;

/** What happens while a machine asks to be let in. The stream ends after `joined`; a refusal is a failure. */
export const joinEventSchema = z.discriminatedUnion('type', [
  /** The inviting side shows the same words and may still have to say yes: people compare them meanwhile. */
  z.object({ type: z.literal('compare'), words: z.array(z.string()) }),
  z.object({
    type: z.literal('joined'),
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    words: z.array(z.string()),
  }),
]);
export type JoinEvent = z.infer<typeof joinEventSchema>;

export const swarm = {
  overview: procedure.output(viewOf(overviewSchema)),
  watch: procedure.output(eventIterator(viewOf(overviewSchema))),
  /** Founds a swarm with this machine as its only member. */
  create: procedure
    .input(z.object({ name: z.string().check(z.minLength(1), z.maxLength(60)) }))
    .output(z.object({ id: z.string(), name: z.string() })),
  /** A one-time invitation. With `autoApprove` whoever shows the secret is admitted without a question. */
  invite: procedure
    .input(
      z.object({
        role: z._default(z.enum(roles), 'worker'),
        ttlMs: z._default(z.number().check(z.gte(1_000), z.lte(86_400_000)), 600_000),
        autoApprove: z._default(z.boolean(), false),
      }),
    )
    .output(invitationSchema),
  /** Asks to join with a link: first the words to compare, then, once the inviter has decided, the membership. */
  join: procedure
    .input(z.object({ link: z.string().check(z.maxLength(4_096)) }))
    .output(eventIterator(joinEventSchema)),
  leave: procedure.output(z.object({ left: z.boolean() })),
  /** Machines that ask to be let in, here. */
  requests: procedure.output(z.array(pairingRequestSchema)),
  decide: procedure.input(z.object({ id: z.string(), admit: z.boolean() })).output(z.object({ decided: z.boolean() })),
  /** Signs that a member no longer belongs. Needs the admin role. */
  revoke: procedure
    .input(z.object({ member: z.string(), reason: z.string().check(z.maxLength(200)) }))
    .output(z.object({ revoked: z.boolean() })),
  /** What a forced new quorum would keep and give up, asked of every machine that can be reached. Changes nothing. */
  recoverPlan: procedure.output(
    z.object({
      /** Why it cannot be done, or need not be; null when it can. */
      obstacle: z.nullable(z.string()),
      warning: z.string(),
      epoch: z.number(),
      /** Voters that cannot be reached. */
      abandon: z.array(nodeRefSchema),
      /** Most advanced first. */
      survivors: z.array(
        z.object({
          node: nodeRefSchema,
          epoch: z.number(),
          config: z.number(),
          committed: z.number(),
          votedThrough: z.number(),
        }),
      ),
    }),
  ),
  /** Forces a new quorum without these machines, which must be exactly the voters that cannot be reached. Needs the admin role. */
  recover: procedure
    .input(z.object({ abandon: z.array(z.string().check(z.maxLength(200))).check(z.maxLength(16)) }))
    .output(z.object({ epoch: z.number(), from: z.number(), voters: z.array(nodeRefSchema) })),
  /** Requests that this machine had when its epoch was ended and the swarm has not. With `done` they are kept no longer. */
  recoverReview: procedure.input(z.object({ done: z._default(z.boolean(), false) })).output(
    z.object({
      items: z.array(z.object({ epoch: z.number(), by: nodeRefSchema, at: wallTimeSchema, what: z.string() })),
    }),
  ),
};
