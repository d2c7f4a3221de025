/**
 * What clients did and what they were told, in a form that any outside checker can read: JSON lines, one operation
 * per line. Everything a checker judges is in it; nothing of the product's own code is needed to judge it.
 */
export type Scalar = string | number | boolean | null;
export type Fields = Readonly<Record<string, Scalar>>;

/**
 * One operation of one client. Times are milliseconds of one clock for the whole history.
 *
 * Kinds with a sequential model (see models.ts):
 * `get` → `{value}`; `put {value}`; `append {value}`; `delete`; `cas {expected, value}` → `{swapped}`;
 * `acquire` → `{token}` or `{held: true}`; `release {token}` → `{released}`. An absent value is `null`.
 * Other kinds are carried, and judged by other checkers.
 */
export interface Operation {
  readonly client: string;
  readonly kind: string;
  readonly key: string;
  readonly arguments: Fields;
  /** Null: the outcome is unknown; it may take effect at any time after `start`, or never. */
  readonly result: Fields | null;
  readonly start: number;
  /** Null exactly when `result` is. */
  readonly end: number | null;
  /** Where the reply says it stands in the replicated log: for a write its own place, for a read the place it saw. */
  readonly index?: number;
}

const lineCharsMax = 1_000_000;

export const writeHistory = (operations: readonly Operation[]): string =>
  operations.map((operation) => `${JSON.stringify(operation)}\n`).join('');

/** Reads what `writeHistory` wrote. Throws with the line's number when one is not an operation. */
export function readHistory(text: string): Operation[] {
  return text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => readOperation(line, number));
}

function readOperation(line: string, number: number): Operation {
  const refuse = (why: string): Error => new Error(`line ${number} is not an operation: ${why}`);
  if (line.length > lineCharsMax) throw refuse(`it has more than ${lineCharsMax} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new Error(`line ${number} is not JSON`, { cause });
  }
  if (!isRecord(parsed)) throw refuse('it is not an object');
  const { client, kind, key, arguments: given, result, start, end, index } = parsed;
  if (typeof client !== 'string' || typeof kind !== 'string' || typeof key !== 'string')
    throw refuse('client, kind and key must be text');
  if (!isFields(given)) throw refuse('arguments must be an object of plain values');
  if (result !== null && !isFields(result)) throw refuse('result must be an object of plain values, or null');
  if (typeof start !== 'number' || !(end === null || (typeof end === 'number' && end >= start)))
    throw refuse('start must be a number, and end a number not before it, or null');
  if ((end === null) !== (result === null)) throw refuse('an unknown outcome has neither result nor end');
  if (index !== undefined && !Number.isSafeInteger(index)) throw refuse('index must be a whole number');
  const operation = { client, kind, key, arguments: given, result, start, end };
  return typeof index === 'number' ? { ...operation, index } : operation;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isFields = (value: unknown): value is Fields =>
  isRecord(value) && Object.values(value).every((field) => field === null || typeof field !== 'object');
