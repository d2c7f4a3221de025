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
  const counts = [compares.length, thenOperations.length, elseOperations.length];
  if (Math.max(...counts) > kvStepsPerTransactionMax) {
    return bad(`a transaction has at most ${kvStepsPerTransactionMax} comparisons and operations of a branch`);
  }
  const keysOk = thenOperations.every(hasKey) && elseOperations.every(hasKey) && compares.every(hasKey);
  if (!keysOk) return bad(`a key must have 1 to ${kvKeyCharsMax} characters, none of them control characters`);
  const twice = keyNamedTwice(thenOperations) ?? keyNamedTwice(elseOperations);
  if (twice !== null) return bad(`one branch of the transaction names ${twice} twice`);
  return sizeProblemOf([compares, thenOperations, elseOperations]);
}

type Step = KvOperation | KvTransaction['compares'][number];

/** Comparisons with a lock name no key. */
const hasKey = (step: Step): boolean => !('key' in step) || isKey(step.key);

function sizeProblemOf(lists: readonly (readonly Step[])[]): Failure | null {
  let largest = 0;
  let total = 0;
  for (const steps of lists) {
    for (const step of steps) {
      const value = step.type !== 'lock' && 'value' in step ? utf8Bytes(step.value) : 0;
      largest = Math.max(largest, value);
      total += value + ('key' in step ? utf8Bytes(step.key) : 0);
    }
  }
  if (largest > kvValueBytesMax) {
    return fail(
      'limit-reached',
      `a value has ${largest} bytes; ${kvValueBytesMax} is the most`,
      'Store large content as a file and put its hash here.',
    ).failure;
  }
  return total <= kvTransactionBytesMax
    ? null
    : fail(
        'limit-reached',
        `the transaction has ${total} bytes; ${kvTransactionBytesMax} is the most`,
        'Split it, if the parts need not take effect together.',
      ).failure;
}

function keyNamedTwice(operations: readonly KvOperation[]): string | null {
  if (operations.length < 2) return null;
  const seen = new Set<string>();
  for (const { key } of operations) {
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return null;
}

const bad = (message: string): Failure => fail('bad-input', message, 'Change the request.').failure;
