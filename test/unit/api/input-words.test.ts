import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { inputWords } from '../../../src-main/api/input-words.ts';

const schema = z.object({
  name: z.string().check(z.minLength(1), z.maxLength(5)),
  slots: z.optional(z.number().check(z.gte(0), z.lte(8))),
  names: z.optional(z.array(z.string()).check(z.maxLength(2))),
  role: z.optional(z.enum(['admin', 'worker'])),
});

function complaint(input: unknown): string {
  const { error } = schema.safeParse(input, { error: inputWords });
  const [issue] = error?.issues ?? [];
  return issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
}

describe('words for an input that is refused', () => {
  it.each([
    [{ name: '' }, 'name: must not be empty'],
    [{ name: 'a longer one' }, 'name: must have at most 5 characters'],
    [{}, 'name: is missing'],
    [{ name: 7 }, 'name: must be a string'],
    [{ name: 'a', slots: 9 }, 'slots: must be at most 8'],
    [{ name: 'a', slots: -1 }, 'slots: must be at least 0'],
    [{ name: 'a', names: ['1', '2', '3'] }, 'names: must have at most 2 entries'],
    [{ name: 'a', role: 'king' }, 'role: must be one of: admin, worker'],
    [{ name: 'a' }, ''],
  ])('%j: %s', (input, words) => {
    expect(complaint(input)).toBe(words);
  });
});
