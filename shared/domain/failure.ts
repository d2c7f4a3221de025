/**
 * What can go wrong that is the world being itself. Callers match on `code`; people read
 * `message` (what happened, with what) and `hint` (the next step).
 */
export const failureCodes = [
  'bad-input',
  'not-found',
  'not-a-member',
  'not-authorised',
  'no-quorum',
  'no-coordinator',
  'timed-out',
  'unknown-outcome',
  'precondition-failed',
  'refused-by-owner',
  'peer-unreachable',
  'already-exists',
  'limit-reached',
  'disk-full',
  'disk-failed',
  'corrupt',
  'unsupported-version',
  'malformed',
  'invitation-malformed',
  'invitation-expired',
  'invitation-used',
  'invitation-wrong-secret',
  'invitation-foreign',
  'invitation-denied',
  'port-in-use',
  'cancelled',
  'not-running',
  'internal',
] as const;

export type FailureCode = (typeof failureCodes)[number];

export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** An expected failure on its way through code that throws. Its `failure` crosses the contract whole. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(failure.message, options);
    this.failure = failure;
  }
}

export type Result<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly failure: Failure };

export const ok = <Value>(value: Value): Result<Value> => ({ ok: true, value });

export const fail = (code: FailureCode, message: string, hint?: string): { ok: false; failure: Failure } => ({
  ok: false,
  failure: { code, message, hint },
});
