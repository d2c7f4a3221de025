import { oc } from '@orpc/contract';
import * as z from 'zod/mini';
import { failureCodes } from '../domain/failure.ts';

export const failureSchema = z.object({
  code: z.enum(failureCodes),
  message: z.string(),
  hint: z.optional(z.string()),
});

/**
 * Every procedure may answer with `FAILURE`, whose data is the failure itself: callers match on its code,
 * never on a message.
 */
export const procedure = oc.errors({ FAILURE: { data: failureSchema } });

/** Where an answer comes from. Whoever shows a number shows this with it. */
export const provenanceSchema = z.object({
  /** `quorum`: through the coordinator. `local`: this machine's own truth. `stale`: last known, no coordinator is heard. `gossip`: a hint. */
  consistency: z.enum(['quorum', 'local', 'gossip', 'stale']),
  /** Milliseconds since the source was last heard from. */
  ageMs: z.number(),
  /** The log slot up to which this view is built. */
  slot: z.number(),
});

/** One frame of a live view: the whole view, numbered. Frames are coalesced to at most ten a second at the source. */
export const viewOf = <Schema extends z.ZodMiniType>(schema: Schema) =>
  z.object({ sequence: z.number(), provenance: provenanceSchema, view: schema });

export const nodeRefSchema = z.object({ id: z.string(), name: z.string() });
export const wallTimeSchema = z.number();
