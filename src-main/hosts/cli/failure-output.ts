import type { Failure } from '../../../shared/domain/failure.ts';
import type { Surroundings } from './cli-context.ts';
import { isRetryable } from './exit-codes.ts';

/** What happened, with what, and the next step: as text or as one object, always on standard error. */
export function printFailure(world: Surroundings, failure: Failure, json: boolean): void {
  const { code, message, hint } = failure;
  if (json) {
    const error = {
      code: code.toUpperCase().replaceAll('-', '_'),
      message,
      ...(hint === undefined ? {} : { hint }),
      retryable: isRetryable(failure),
    };
    world.stderr.write(`${JSON.stringify({ error })}\n`);
    return;
  }
  world.stderr.write(`skein: ${message}\n`);
  if (hint !== undefined && hint !== '') world.stderr.write(`  ${hint}\n`);
}
