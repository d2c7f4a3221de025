import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { nodeRefSchema, procedure, viewOf, wallTimeSchema } from './base.ts';

const modeSchema = z.enum(['exclusive', 'shared', 'permit']);

const holderSchema = z.object({
  node: nodeRefSchema,
  owner: z.string(),
  label: z.string(),
  token: z.number(),
  since: wallTimeSchema,
  /** As the coordinator sees the holder's session; null when no coordinator is heard. */
  leaseLeftMs: z.nullable(z.number()),
  /** 0 when the session has ended and the holder outlives it. */
  leaseMs: z.number(),
  reachable: z.boolean(),
  mode: modeSchema,
  /** Outlives its session: only a release by its machine or by force frees it. */
  keeps: z.boolean(),
  /** How long nobody takes its place if it loses the lock. */
  delayMs: z.number(),
});

export const lockSchema = z.object({
  name: z.string(),
  /** The first of the holders. */
  holder: z.nullable(holderSchema),
  /** In the order of their grants. Readers that came in together share a token. */
  holders: z.array(holderSchema),
  /** Of a semaphore in use; null for a lock of readers and writers. */
  permits: z.nullable(z.number()),
  /** Holders that lost the lock without giving it back; their places stay taken until the delay is over. */
  delays: z.array(
    z.object({
      node: nodeRefSchema,
      owner: z.string(),
      token: z.number(),
      at: wallTimeSchema,
      delayMs: z.number(),
      /** As the coordinator counts it; null on other machines. */
      leftMs: z.nullable(z.number()),
    }),
  ),
  /** First come, first served. `names`: everything it asks for together. */
  waiters: z.array(
    z.object({
      node: nodeRefSchema,
      owner: z.string(),
      label: z.string(),
      since: wallTimeSchema,
      mode: modeSchema,
      names: z.array(z.string()),
    }),
  ),
  /** `delayed`: lost by its holder, and not given to anyone yet. `uncertain`: no coordinator is heard, the holder may have changed. */
  state: z.enum(['held', 'free', 'delayed', 'uncertain']),
  /** The latest holders, newest first, with their tokens. `remark`: who took it by force and why. */
  history: z.array(
    z.object({
      node: nodeRefSchema,
      owner: z.string(),
      token: z.number(),
      grantedAt: wallTimeSchema,
      endedAt: z.nullable(wallTimeSchema),
      cause: z.string(),
      mode: modeSchema,
      remark: z.string(),
    }),
  ),
});
export type Lock = z.infer<typeof lockSchema>;

export const locksViewSchema = z.object({ locks: z.array(lockSchema) });

const nameSchema = z.string().check(z.minLength(1), z.maxLength(200));

const namesSchema = z.array(nameSchema).check(z.minLength(1), z.maxLength(16));

const wishFields = {
  name: nameSchema,
  /** Further locks, of the same kind, all or none of them in one entry. */
  also: z._default(z.array(nameSchema).check(z.maxLength(15)), []),
  label: z._default(z.string().check(z.maxLength(200)), ''),
  mode: z._default(modeSchema, 'exclusive'),
  /** For `permit`: how many may hold it at a time. */
  permits: z._default(z.int().check(z.gte(1), z.lte(1_000)), 1),
  /** How long nobody takes its place if it loses the lock; never after a release. */
  delayMs: z._default(z.int().check(z.gte(0), z.lte(3_600_000)), 15_000),
};

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
        ...wishFields,
        wait: z._default(z.boolean(), true),
        waitMs: z.optional(z.number()),
      }),
    )
    .output(eventIterator(lockHoldEventSchema)),
  /**
   * Takes a lock that outlives this call, this process and its session: only `release` here or force frees it.
   * Waits up to `waitMs` (0: not at all); fails with `precondition-failed` or `timed-out`.
   */
  acquire: procedure
    .input(z.object({ ...wishFields, waitMs: z._default(z.number(), 0) }))
    .output(z.object({ token: z.number(), names: z.array(z.string()) })),
  /** Gives back what `acquire` took on this machine, all of `names` or none. */
  release: procedure
    .input(z.object({ names: namesSchema, token: z.number() }))
    .output(z.object({ released: z.boolean() })),
  /** A writer that holds a lock through this node reads on, with the same token. */
  downgrade: procedure
    .input(z.object({ name: nameSchema, token: z.number() }))
    .output(z.object({ downgraded: z.boolean() })),
  show: procedure.input(z.object({ name: nameSchema })).output(viewOf(lockSchema)),
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
