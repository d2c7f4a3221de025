import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { nodeRefSchema, procedure, viewOf, wallTimeSchema } from './base.ts';

export const lockSchema = z.object({
  name: z.string(),
  holder: z.nullable(
    z.object({
      node: nodeRefSchema,
      owner: z.string(),
      label: z.string(),
      token: z.number(),
      since: wallTimeSchema,
      /** As the coordinator sees the holder's session; null when no coordinator is heard. */
      leaseLeftMs: z.nullable(z.number()),
      leaseMs: z.number(),
      reachable: z.boolean(),
    }),
  ),
  waiters: z.array(z.object({ node: nodeRefSchema, owner: z.string(), label: z.string(), since: wallTimeSchema })),
  /** `uncertain`: no coordinator is heard, the holder may have changed. */
  state: z.enum(['held', 'free', 'uncertain']),
  /** The latest holders, newest first, with their tokens. */
  history: z.array(
    z.object({
      node: nodeRefSchema,
      owner: z.string(),
      token: z.number(),
      grantedAt: wallTimeSchema,
      endedAt: z.nullable(wallTimeSchema),
      cause: z.string(),
    }),
  ),
});
export type Lock = z.infer<typeof lockSchema>;

export const locksViewSchema = z.object({ locks: z.array(lockSchema) });

const nameSchema = z.string().check(z.minLength(1), z.maxLength(200));

export const lockHoldEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('waiting'), position: z.number() }),
  z.object({ type: z.literal('granted'), token: z.number(), leaseMs: z.number() }),
  /** The lease could not be renewed in time: whoever holds must stop now. */
  z.object({ type: z.literal('lost'), reason: z.string() }),
]);

export const locks = {
  list: procedure.output(viewOf(locksViewSchema)),
  watch: procedure.output(eventIterator(viewOf(locksViewSchema))),
  /**
   * Holds a lock for as long as the caller keeps reading. First `waiting` (if it must wait), then `granted`;
   * `lost` at once when the lease may be over. Ending the call releases the lock.
   * `guardPid`: the process group that works under the lock; it is killed before the lock is given up.
   */
  hold: procedure
    .input(
      z.object({
        name: nameSchema,
        label: z._default(z.string().check(z.maxLength(200)), ''),
        wait: z._default(z.boolean(), true),
        waitMs: z.optional(z.number()),
      }),
    )
    .output(eventIterator(lockHoldEventSchema)),
  /** Tells which process group works under a held lock, so that it can be killed before the lock is given up. */
  guard: procedure
    .input(z.object({ name: nameSchema, token: z.number(), pid: z.int().check(z.gte(2)) }))
    .output(z.object({ guarded: z.boolean() })),
  /** Takes the lock from its holder; fails with `precondition-failed` unless the token is still the one given. */
  forceRelease: procedure
    .input(
      z.object({ name: nameSchema, token: z.number(), reason: z.string().check(z.minLength(1), z.maxLength(400)) }),
    )
    .output(z.object({ released: z.boolean() })),
};
