import { ORPCError } from '@orpc/server';
import { FailureError, type Failure } from '../../shared/domain/failure.ts';

/** Where defects go: the log of the node, with everything that callers are not shown. */
export interface DefectLog {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** The one shape in which a failure crosses the contract. */
export function answerFailure(failure: Failure): ORPCError<'FAILURE', Failure> {
  return new ORPCError('FAILURE', { defined: true, message: failure.message, data: failure });
}

/**
 * Turns whatever a service threw into what a caller may see. A failure passes whole. A refused input and the other
 * answers of the RPC layer pass as they are. Everything else is a defect: logged here, with its stack, and answered
 * as `internal` without details.
 */
export function toAnswer(error: unknown, procedure: string, signal: AbortSignal, log: DefectLog): Error {
  if (error instanceof FailureError) return answerFailure(error.failure);
  if (error instanceof ORPCError && error.code !== 'INTERNAL_SERVER_ERROR') return error;
  if (signal.aborted) {
    return answerFailure({ code: 'cancelled', message: `${procedure} was given up by its caller` });
  }
  log.error('a call failed in a way it must not', { procedure, error: describeDefect(error) });
  return answerFailure({
    code: 'internal',
    message: `${procedure} failed inside this node`,
    hint: 'The log of the node has the details; please report them.',
  });
}

function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${describeDefect(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
