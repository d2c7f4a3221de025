import { fail } from '../../../shared/domain/failure.ts';
import type { Failure } from '../../../shared/domain/failure.ts';
import { kvKeyCharsMax, kvStepsPerTransactionMax, kvTransactionBytesMax, kvValueBytesMax } from '../machine/limits.ts';
import { utf8Bytes } from '../machine/utf8-bytes.ts';
import type { KvOperation, KvTransaction } from './commands.ts';

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}

const isKey = (key: string): boolean => key.length >= 1 && key.length <= kvKeyCharsMax && !hasControlCharacter(key);

/** What is wrong with a transaction whatever the state is, or null. */
export function problemOf({ compares, thenOperations, elseOperations }: KvTransaction): Failure | null {
  const branches = [thenOperations, elseOperations];
  if ([compares, ...branches].some((steps) => steps.length > kvStepsPerTransactionMax)) {
    return bad(`a transaction has at most ${kvStepsPerTransactionMax} comparisons and operations of a branch`);
  }
  const keys = [...compares.flatMap((compare) => ('key' in compare ? compare.key : [])), ...branches.flat().map(keyOf)];
  const wrong = keys.find((key) => !isKey(key));
  if (wrong !== undefined) {
    return bad(`a key must have 1 to ${kvKeyCharsMax} characters, none of them control characters`);
  }
  const twice = branches.map(keyNamedTwice).find((key) => key !== null);
  if (twice !== undefined) return bad(`one branch of the transaction names ${twice ?? ''} twice`);
  return sizeProblemOf(
    keys,
    [...compares, ...branches.flat()].flatMap((step) => (step.type !== 'lock' && 'value' in step ? step.value : [])),
  );
}

function sizeProblemOf(keys: readonly string[], values: readonly string[]): Failure | null {
  const sizes = values.map(utf8Bytes);
  const largest = Math.max(0, ...sizes);
  if (largest > kvValueBytesMax) {
    return fail(
      'limit-reached',
      `a value has ${largest} bytes; ${kvValueBytesMax} is the most`,
      'Store large content as a file and put its hash here.',
    ).failure;
  }
  const total = [...sizes, ...keys.map(utf8Bytes)].reduce((sum, size) => sum + size, 0);
  return total <= kvTransactionBytesMax
    ? null
    : fail(
        'limit-reached',
        `the transaction has ${total} bytes; ${kvTransactionBytesMax} is the most`,
        'Split it, if the parts need not take effect together.',
      ).failure;
}

const keyOf = (operation: KvOperation): string => operation.key;

function keyNamedTwice(operations: readonly KvOperation[]): string | null {
  const seen = new Set<string>();
  for (const { key } of operations) {
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return null;
}

const bad = (message: string): Failure => fail('bad-input', message, 'Change the request.').failure;
