import { createORPCClient, ORPCError, type ClientContext, type ClientLink } from '@orpc/client';
import type { ContractRouterClient } from '@orpc/contract';
import { FailureError, type Failure } from '../domain/failure.ts';
import { failureSchema } from './base.ts';
import type { SkeinContract } from './contract.ts';
import type { JoinEvent } from './swarm.ts';

export type SkeinClient = ContractRouterClient<SkeinContract>;

/** A typed client over any link: MessagePort, WebSocket or HTTP. */
export const createSkeinClient = (link: ClientLink<ClientContext>): SkeinClient => createORPCClient(link);

/**
 * Asks to join with a link and waits for the end of it. `onWords` gets the words that both screens show, as soon as they
 * are known. Throws what the call throws, and `not-running` when the node goes away in between.
 */
export async function joinSwarm(
  client: SkeinClient,
  link: string,
  onWords: (words: readonly string[]) => void = () => undefined,
): Promise<Extract<JoinEvent, { type: 'joined' }>> {
  for await (const event of await client.swarm.join({ link })) {
    if (event.type === 'joined') return event;
    onWords(event.words);
  }
  throw new FailureError({ code: 'not-running', message: 'the node stopped before the other side had decided' });
}

/** The failure inside whatever a call threw, whole where the other side gave one. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  if (error instanceof ORPCError) {
    const parsed = failureSchema.safeParse(error.data);
    if (parsed.success) return parsed.data;
    if (error.code === 'BAD_REQUEST')
      return {
        code: 'bad-input',
        message: describeIssues(error.data) ?? error.message,
        hint: 'Correct it and ask again.',
      };
    if (error.code === 'UNAUTHORIZED') return { code: 'not-authorised', message: error.message };
    return { code: 'internal', message: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'not-running', message };
}

/** "path: what is wrong with it" for the first few issues of a refused input. */
function describeIssues(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('issues' in data) || !Array.isArray(data.issues)) return null;
  const lines = data.issues.slice(0, 3).map((issue: unknown) => {
    const { path, message } = issue as { path?: readonly (string | number)[]; message?: string };
    return `${(path ?? []).join('.') || 'input'}: ${message ?? 'is not valid'}`;
  });
  return lines.join('; ');
}
