import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { coordinationPins } from '../domain/member.ts';
import { nodeRefSchema, procedure, viewOf, wallTimeSchema } from './base.ts';

export const syncSchema = z.object({
  /** How long a machine's disk took to have a write for good, over the latest writes, in milliseconds. */
  p50Ms: z.number(),
  p99Ms: z.number(),
});

export const replicaSchema = z.object({
  node: nodeRefSchema,
  self: z.boolean(),
  voter: z.boolean(),
  coordinator: z.boolean(),
  rank: z.nullable(z.number()),
  pin: z.enum(coordinationPins),
  /** Of the state directory that holds the seat: a wiped disk is another voter. Null for learners. */
  incarnation: z.nullable(z.string()),
  reachable: z.boolean(),
  /** How far it has the log, and by how many entries it is behind; null when it has not said. */
  committed: z.nullable(z.number()),
  lagEntries: z.nullable(z.number()),
  /** Age of what it said, in milliseconds; 0 where the coordinator counts itself. */
  saidAgeMs: z.nullable(z.number()),
  roundTripMs: z.nullable(z.number()),
  sync: z.nullable(syncSchema),
  lastSeen: z.nullable(wallTimeSchema),
});
export type ReplicaView = z.infer<typeof replicaSchema>;

export const coordinationKinds = ['coordinator', 'silence', 'voters', 'snapshot', 'divergence', 'halted'] as const;

export const coordinationEventSchema = z.object({
  id: z.number(),
  at: wallTimeSchema,
  kind: z.enum(coordinationKinds),
  /** The coordinator it is about, where it is about one. */
  node: z.nullable(nodeRefSchema),
  ballot: z.string(),
  text: z.string(),
  reason: z.string(),
  /** How long nobody coordinated before, in milliseconds; null where that is not so. */
  silentMs: z.nullable(z.number()),
});
export type CoordinationEvent = z.infer<typeof coordinationEventSchema>;

export const consensusViewSchema = z.object({
  self: nodeRefSchema,
  role: z.enum(['learner', 'voter', 'candidate', 'coordinator']),
  coordinator: z.nullable(z.object({ node: nodeRefSchema, since: wallTimeSchema, reason: z.string() })),
  /** The highest ballot this machine follows or has promised, part by part: they order in this sequence. */
  ballot: z.nullable(
    z.object({ epoch: z.number(), config: z.number(), round: z.number(), rank: z.number(), voter: nodeRefSchema }),
  ),
  /** The voters of this stretch of the log. */
  config: z.nullable(z.object({ epoch: z.number(), id: z.number(), firstSlot: z.number(), voters: z.number() })),
  quorum: z.object({
    needed: z.number(),
    reachable: z.number(),
    /** How many voters more may fail before nothing new can be decided. */
    mayFail: z.number(),
    /** The same in a sentence. */
    words: z.string(),
  }),
  /** Voters first, then learners. */
  replicas: z.array(replicaSchema),
  log: z.object({
    committed: z.number(),
    applied: z.number(),
    /** Up to where a snapshot stands for the log here, and since when; null while the whole log is kept. */
    snapshot: z.nullable(z.object({ slot: z.number(), at: z.nullable(wallTimeSchema) })),
    journalBytes: z.number(),
    /** With one voter: the newest entries, which no second machine is known to hold. Null for none, and where several vote. */
    singleCopies: z.nullable(z.object({ firstSlot: z.number(), count: z.number() })),
    /** Where this machine last compared its log and its state with those of others; null before. */
    comparedSlot: z.nullable(z.number()),
  }),
  /** Machines whose log or state was lately found to differ; empty as a rule. */
  divergences: z.array(
    z.object({
      node: nodeRefSchema,
      slot: z.number(),
      text: z.string(),
      reason: z.string(),
      /** A majority agrees, so the machine has put its record aside. Otherwise nobody knows who is right. */
      settled: z.boolean(),
    }),
  ),
  /** This machine's own disk; null before its first write. */
  sync: z.nullable(z.extend(syncSchema, { worstMs: z.number(), writes: z.number() })),
  /** Who waits for whom, while nothing can be decided; empty otherwise. */
  waits: z.array(z.string()),
  /** Newest first; what this machine has seen since it started. */
  history: z.array(coordinationEventSchema),
});
export type ConsensusView = z.infer<typeof consensusViewSchema>;

export const logEntrySchema = z.object({
  slot: z.number(),
  /** When it took effect here. */
  at: wallTimeSchema,
  /** The command, such as `lock-requested`; `barrier` for entries without one. */
  type: z.string(),
  /** Who asked for it. */
  node: z.nullable(nodeRefSchema),
  text: z.string(),
  /** What it answered, in a word or two. */
  outcome: z.string(),
  refused: z.boolean(),
});
export type LogEntry = z.infer<typeof logEntrySchema>;

export const logTailSchema = z.object({
  /** Newest first. */
  entries: z.array(logEntrySchema),
  /** The first slot that can still be shown here. */
  firstSlot: z.number(),
});

const limit = z._default(z.int().check(z.gte(1), z.lte(500)), 50);

export const consensus = {
  status: procedure.output(viewOf(consensusViewSchema)),
  watch: procedure.output(eventIterator(viewOf(consensusViewSchema))),
  /** The latest entries that took effect here, kept in memory: the log itself is compacted. */
  log: procedure.input(z.object({ limit })).output(viewOf(logTailSchema)),
  watchLog: procedure.input(z.object({ limit })).output(eventIterator(viewOf(logTailSchema))),
};
