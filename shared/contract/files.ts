import * as z from 'zod/mini';
import { procedure } from './base.ts';

const pathSchema = z.string().check(z.minLength(1), z.maxLength(4_096));

export const folderSchema = z.object({
  /** Absolute, without `.` and `..`. */
  path: z.string(),
  /** Null at the top of the file system. */
  parent: z.nullable(z.string()),
  /** Whether results can be put here. */
  writable: z.boolean(),
  /** Folders first, then files, each by name; at most 500. */
  entries: z.array(z.object({ name: z.string(), folder: z.boolean(), bytes: z.number() })),
  /** How many there are in all. */
  total: z.number(),
});
export type Folder = z.infer<typeof folderSchema>;

/** This machine's own folders, for people who fill in a form in front of it. Other machines have no way here. */
export const files = {
  /** Where a form may begin: the folders that work was last submitted from, newest first, and the person's own. */
  places: procedure.output(z.object({ home: z.string(), recent: z.array(z.string()) })),
  /** What is in a folder; `~` stands for the person's own. Fails with `not-found`, `bad-input` (no folder) or `not-authorised`. */
  look: procedure.input(z.object({ path: pathSchema })).output(folderSchema),
};
