import type * as z from 'zod/mini';

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** What is wrong with an input, for people, to stand behind its name: “name: must not be empty”. Null leaves it to the library. */
export function inputWords(issue: RawIssue): string | null {
  switch (issue.code) {
    case 'too_small':
      return issue.minimum === 1 && issue.origin !== 'number'
        ? 'must not be empty'
        : `must ${bound(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${bound(issue.origin, 'at most', issue.maximum)}`;
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${article(issue.expected)}`;
    case 'invalid_value':
      return `must be one of: ${issue.values.map(String).join(', ')}`;
    default:
      return null;
  }
}

function bound(origin: string, side: string, count: number | bigint): string {
  if (origin === 'string') return `have ${side} ${count} characters`;
  if (origin === 'array' || origin === 'set') return `have ${side} ${count} entries`;
  return `be ${side} ${count}`;
}

const article = (type: string): string => `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
