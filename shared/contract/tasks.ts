import { eventIterator } from '@orpc/contract';
import * as z from 'zod/mini';
import { jobPriorities, placementPolicies, taskStates } from '../domain/task.ts';
import { nodeRefSchema, procedure, viewOf, wallTimeSchema } from './base.ts';

const text = (charsMax: number) => z.string().check(z.maxLength(charsMax));

/** What the submit form and `skein submit` fill in. Paths are the submitter's own, on this machine. */
export const submissionSchema = z.object({
  name: z.optional(text(120)),
  argv: z.array(text(32_768)).check(z.minLength(1), z.maxLength(1_024)),
  env: z._default(z.record(z.string(), z.string()), {}),
  /** Folder that relative paths and globs are read against. */
  cwd: text(4_096),
  /** Files or folders placed into every attempt's folder under their path relative to `cwd`. */
  inputs: z._default(z.array(text(4_096)), []),
  /** One task per element; nothing means one task. Globs are expanded here, on the submitting machine. */
  each: z._default(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('once') }),
      z.object({ type: z.literal('files'), globs: z.array(text(4_096)).check(z.minLength(1)) }),
      z.object({ type: z.literal('lines'), lines: z.array(text(65_536)).check(z.minLength(1), z.maxLength(100_000)) }),
      z.object({ type: z.literal('range'), from: z.int(), to: z.int(), step: z._default(z.int().check(z.gte(1)), 1) }),
    ]),
    { type: 'once' },
  ),
  /** Globs, relative to the attempt's folder, of what to bring back; may hold placeholders. */
  outputs: z._default(z.array(text(4_096)), []),
  /** Where outputs go on this machine; default `cwd`. */
  outputFolder: z.optional(text(4_096)),
  lock: z.optional(text(200)),
  retries: z._default(z.int().check(z.gte(0), z.lte(100)), 0),
  timeoutMs: z.optional(z.number().check(z.gte(100))),
  /** Name or id of the one machine to run on. */
  on: z.optional(text(200)),
  policy: z._default(z.enum(placementPolicies), 'least-loaded'),
  slots: z._default(z.int().check(z.gte(1), z.lte(256)), 1),
  /** Its waiting tasks are placed before those of other jobs, or after them. Needs feature level 2. */
  priority: z.optional(z.enum(jobPriorities)),
});
export type Submission = z.input<typeof submissionSchema>;

const countsSchema = z.object({
  waiting: z.number(),
  active: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  cancelled: z.number(),
});

export const jobSchema = z.object({
  id: z.number(),
  name: z.string(),
  command: z.string(),
  state: z.enum(taskStates),
  taskCount: z.number(),
  counts: countsSchema,
  /** Attempts beyond the first of each task: how much was run again. */
  extraAttempts: z.number(),
  /** Results that came with a stale token and were refused. */
  refusedResults: z.number(),
  submitter: nodeRefSchema,
  submittedAt: wallTimeSchema,
  endedAt: z.nullable(wallTimeSchema),
  policy: z.enum(placementPolicies),
  priority: z.optional(z.enum(jobPriorities)),
  lock: z.nullable(z.string()),
  /** Machines its tasks run or ran on. */
  where: z.array(nodeRefSchema),
  /** Why it stands as it stands, in one sentence. */
  reason: z.string(),
  /** On the submitting machine: outputs of tasks that are back in the folder, and those still to come. */
  delivery: z.nullable(z.object({ delivered: z.number(), pending: z.number(), folder: z.string(), error: z.string() })),
});
export type Job = z.infer<typeof jobSchema>;

export const attemptSchema = z.object({
  number: z.number(),
  node: nodeRefSchema,
  token: z.number(),
  state: z.enum(taskStates),
  assignedAt: wallTimeSchema,
  startedAt: z.nullable(wallTimeSchema),
  endedAt: z.nullable(wallTimeSchema),
  /** How it ended, in words: "exit code 137: killed, probably out of memory". */
  outcome: z.string(),
  /** What its program ended with, or what a shell answers for a program that cannot start (126, 127). */
  exitCode: z.nullable(z.number()),
  /** The signal that ended its program, such as SIGKILL. */
  signal: z._default(z.nullable(z.string()), null),
  reason: z.string(),
});
export type AttemptView = z.infer<typeof attemptSchema>;

export const taskSchema = z.object({
  job: z.number(),
  index: z.number(),
  state: z.enum(taskStates),
  /** What the task is about: its file, line or index. Null on machines that do not hold the manifest. */
  label: z.nullable(z.string()),
  reason: z.string(),
  attempts: z.array(attemptSchema),
});
export type Task = z.infer<typeof taskSchema>;

export const jobsViewSchema = z.object({ jobs: z.array(jobSchema) });

/** A selector as typed: `81`, `81.3`, `last`. */
export const selectorSchema = text(100);

const pageSchema = z.object({
  offset: z._default(z.int().check(z.gte(0)), 0),
  limit: z._default(z.int().check(z.gte(1), z.lte(1_000)), 100),
});

export const jobDetailSchema = z.object({
  job: jobSchema,
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  outputs: z.array(z.string()),
  retries: z.number(),
  timeoutMs: z.nullable(z.number()),
  slots: z.number(),
  manifest: z.string(),
  tasks: z.array(taskSchema),
  tasksTotal: z.number(),
});
export type JobDetail = z.infer<typeof jobDetailSchema>;

export const logChunkSchema = z.object({
  /** Byte offset of `text` in the stream, and of what follows it. */
  offset: z.number(),
  nextOffset: z.number(),
  /** Bytes the stream has so far. */
  totalBytes: z.number(),
  text: z.string(),
  /** No more will come. */
  ended: z.boolean(),
  /** Bytes before `text` that were asked for and are not kept. */
  missingBytes: z.number(),
  /** Bytes the program wrote past the limit of what is kept; known once it has ended. */
  droppedBytes: z._default(z.number(), 0),
  /** `worker`: read from the machine that runs it. `tail`: from the copy that the submitter keeps. */
  source: z.enum(['worker', 'tail', 'none']),
});

export const tasks = {
  submit: procedure
    .input(submissionSchema)
    .output(z.object({ job: z.number(), taskCount: z.number(), inputBytes: z.number() })),
  /** What `submit` would do, without doing it: how many tasks, their first labels, bytes to move, machines that match. */
  preview: procedure.input(submissionSchema).output(
    z.object({
      taskCount: z.number(),
      inputBytes: z.number(),
      first: z.array(z.object({ label: z.string(), argv: z.array(z.string()) })),
      machines: z.array(z.object({ node: nodeRefSchema, able: z.boolean(), reason: z.string() })),
    }),
  ),
  list: procedure.output(viewOf(jobsViewSchema)),
  watch: procedure.output(eventIterator(viewOf(jobsViewSchema))),
  show: procedure
    .input(z.extend(pageSchema, { selector: selectorSchema, state: z.optional(z.enum(taskStates)) }))
    .output(viewOf(jobDetailSchema)),
  watchOne: procedure
    .input(z.extend(pageSchema, { selector: selectorSchema, state: z.optional(z.enum(taskStates)) }))
    .output(eventIterator(viewOf(jobDetailSchema))),
  cancel: procedure
    .input(z.object({ selector: selectorSchema, reason: z._default(text(400), '') }))
    .output(z.object({ cancelled: z.number() })),
  /** A finished job again: `failed` only its failed, cancelled and timed-out tasks; otherwise the one selected task. */
  retry: procedure.input(z.object({ selector: selectorSchema })).output(z.object({ retried: z.number() })),
  explain: procedure.input(z.object({ selector: selectorSchema })).output(
    z.object({
      sentence: z.string(),
      machines: z.array(z.object({ node: nodeRefSchema, verdict: z.string(), eligible: z.boolean() })),
      history: z.array(z.string()),
    }),
  ),
  /** Part of one output stream of one attempt (default: the latest), by byte offset. */
  readLog: procedure
    .input(
      z.object({
        selector: selectorSchema,
        attempt: z.optional(z.int()),
        stream: z.enum(['stdout', 'stderr']),
        offset: z._default(z.number().check(z.gte(0)), 0),
        bytesMax: z._default(z.int().check(z.gte(1), z.lte(1_048_576)), 65_536),
        /** Waits up to this long for bytes after `offset` before answering. */
        waitMs: z._default(z.int().check(z.gte(0), z.lte(20_000)), 0),
      }),
    )
    .output(logChunkSchema),
};
