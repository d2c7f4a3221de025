import { ORPCError, type ClientContext, type ClientLink } from '@orpc/client';
import { createSkeinClient, type SkeinClient } from '../../shared/contract/client.ts';
import type { Failure } from '../../shared/domain/failure.ts';

/** Answers one procedure: a value, or an async iterable for a live one. */
export type FakeHandler = (input: unknown, signal: AbortSignal | undefined) => unknown;
export type FakeHandlers = Readonly<Record<string, FakeHandler>>;

/**
 * A client whose other side is a table of handlers by dotted name (`tasks.list`). It runs through the real client
 * code; a call without a handler fails by name, so a test never passes on an answer nobody wrote.
 */
export function createFakeClient(handlers: FakeHandlers): SkeinClient {
  const link: ClientLink<ClientContext> = {
    call: async (path, input, options) => {
      const name = path.join('.');
      const handler = handlers[name];
      if (handler === undefined) throw new Error(`The fake has no handler for ${name}.`);
      return await handler(input, options.signal);
    },
  };
  return createSkeinClient(link);
}

/** What a handler throws to answer with a failure, exactly as the contract carries it. */
export const fakeFailure = (failure: Failure): ORPCError<'FAILURE', Failure> =>
  new ORPCError('FAILURE', { defined: true, message: failure.message, data: failure });
