import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { nodeRefSchema, procedure, provenanceSchema, wallTimeSchema } from './base.ts';

const keySchema = z.string().check(z.minLength(1), z.maxLength(512));
const valueSchema = z.string().check(z.maxLength(16_384));
const revisionSchema = z.int().check(z.gte(0));
const tokenSchema = z.int().check(z.gte(1));

/** A key as it stands. Revisions are slots of the log: they order the changes of all keys. */
export const kvEntrySchema = z.object({
  key: z.string(),
  value: z.string(),
  created: z.number(),
  revision: z.number(),
  /** Puts since it was created, that one included. */
  version: z.number(),
  /** The machine whose session it ends with; null for a key that stays. */
  endsWith: z.nullable(nodeRefSchema),
  by: nodeRefSchema,
  at: wallTimeSchema,
});
export type KvEntry = z.infer<typeof kvEntrySchema>;

export const kvChangeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('put'), entry: kvEntrySchema }),
  z.object({
    type: z.literal('removed'),
    key: z.string(),
    revision: z.number(),
    cause: z.enum(['deleted', 'session-ended']),
    by: nodeRefSchema,
    at: wallTimeSchema,
  }),
]);
export type KvChange = z.infer<typeof kvChangeSchema>;

const relationSchema = z.enum(['equal', 'not-equal', 'less', 'greater']);

/** What must hold for the first branch. A key that is not there has revision, creation and version 0 and equals no value. */
export const kvCompareSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('value'),
    key: keySchema,
    relation: z._default(z.enum(['equal', 'not-equal']), 'equal'),
    value: valueSchema,
  }),
  z.object({
    type: z.literal('revision'),
    key: keySchema,
    relation: z._default(relationSchema, 'equal'),
    revision: revisionSchema,
  }),
  z.object({
    type: z.literal('created'),
    key: keySchema,
    relation: z._default(relationSchema, 'equal'),
    revision: revisionSchema,
  }),
  z.object({
    type: z.literal('version'),
    key: keySchema,
    relation: z._default(relationSchema, 'equal'),
    version: revisionSchema,
  }),
  /** That lock is held with that token now: a writer that lost its lock writes nothing. */
  z.object({ type: z.literal('lock'), name: z.string().check(z.minLength(1), z.maxLength(200)), token: tokenSchema }),
]);

export const kvOperationSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('put'),
    key: keySchema,
    value: valueSchema,
    /** The key is removed when this machine's present session ends. */
    withSession: z._default(z.boolean(), false),
  }),
  z.object({ type: z.literal('delete'), key: keySchema }),
  z.object({ type: z.literal('get'), key: keySchema }),
]);

const compares = z.array(kvCompareSchema).check(z.maxLength(64));
const operations = z.array(kvOperationSchema).check(z.maxLength(64));

export const kvTransactionSchema = z.object({
  compares: z._default(compares, []),
  thenOperations: z._default(operations, []),
  elseOperations: z._default(operations, []),
});
export type KvTransactionInput = z.input<typeof kvTransactionSchema>;

/** `previous`: the revision that was replaced, 0 when there was no such key. */
export const kvAnswerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('put'), key: z.string(), previous: z.number(), version: z.number() }),
  z.object({ type: z.literal('deleted'), key: z.string(), previous: z.number() }),
  z.object({ type: z.literal('got'), key: z.string(), entry: z.nullable(kvEntrySchema) }),
]);

/** `stale`: this machine's own copy at once, with its age; otherwise the answer counts everything written before the question. */
const stale = z._default(z.boolean(), false);

const rangeFields = {
  /** Keys that begin with this. Excludes `from` and `to`. */
  prefix: z.optional(z.string().check(z.maxLength(512))),
  /** From this key on. */
  from: z.optional(z.string().check(z.maxLength(512))),
  /** Up to this key, without it. */
  to: z.optional(z.string().check(z.maxLength(512))),
};

export const kvWatchFrameSchema = z.object({
  /** Everything up to this slot has been told: a later watch begins at the next one. */
  through: z.number(),
  /** In the order of the log; a revision is never split over two frames. Empty in the first frame of a watch from now. */
  changes: z.array(kvChangeSchema),
});
export type KvWatchFrame = z.infer<typeof kvWatchFrameSchema>;

export const kv = {
  get: procedure
    .input(z.object({ key: keySchema, stale }))
    .output(z.object({ entry: z.nullable(kvEntrySchema), provenance: provenanceSchema })),
  /** Keys of a range in order of their code units. `next`: where the following page begins, null at the end. */
  range: procedure
    .input(
      z.object({
        ...rangeFields,
        limit: z._default(z.int().check(z.gte(1), z.lte(1_000)), 100),
        /** Values are answered as empty texts. */
        keysOnly: z._default(z.boolean(), false),
        stale,
      }),
    )
    .output(
      z.object({
        entries: z.array(kvEntrySchema),
        /** Keys in the whole range. */
        total: z.number(),
        next: z.nullable(z.string()),
        provenance: provenanceSchema,
      }),
    ),
  put: procedure
    .input(z.object({ key: keySchema, value: valueSchema, withSession: z._default(z.boolean(), false) }))
    .output(z.object({ revision: z.number(), previous: z.number(), version: z.number() })),
  /**
   * Puts only if the key still is as expected: `revision` (0: there is no such key) or `expected` (null: likewise).
   * Fails with `precondition-failed` otherwise.
   */
  compareAndSet: procedure
    .input(
      z.object({
        key: keySchema,
        value: valueSchema,
        revision: z.optional(revisionSchema),
        expected: z.optional(z.nullable(valueSchema)),
        withSession: z._default(z.boolean(), false),
      }),
    )
    .output(z.object({ revision: z.number(), version: z.number() })),
  /** With `revision` only while the key has it: `precondition-failed` otherwise. */
  delete: procedure
    .input(z.object({ key: keySchema, revision: z.optional(tokenSchema) }))
    .output(z.object({ deleted: z.boolean(), revision: z.number() })),
  /** Several keys in one entry, all or nothing; `succeeded` says which branch took effect. */
  transact: procedure
    .input(kvTransactionSchema)
    .output(z.object({ succeeded: z.boolean(), revision: z.number(), answers: z.array(kvAnswerSchema) })),
  /**
   * Every change of a range from `fromRevision` on (default: from now), without a gap. Fails with `precondition-failed`,
   * naming the oldest revision there is, when the first of them are no longer kept.
   */
  watch: procedure
    .input(z.object({ ...rangeFields, key: z.optional(keySchema), fromRevision: z.optional(tokenSchema) }))
    .output(eventIterator(kvWatchFrameSchema)),
  /** How full the store is, and from where a watch may begin. */
  usage: procedure.output(
    z.object({
      keys: z.number(),
      keysMax: z.number(),
      bytes: z.number(),
      bytesMax: z.number(),
      oldestRevision: z.number(),
      provenance: provenanceSchema,
    }),
  ),
};
