import { createORPCClient, ORPCError, type ClientContext, type ClientLink } from '@orpc/client';
import type { ContractRouterClient } from '@orpc/contract';
import type { Failure } from '../domain/failure.ts';
import { failureSchema } from './base.ts';
import type { SkeinContract } from './contract.ts';

export type SkeinClient = ContractRouterClient<SkeinContract>;

/** A typed client over any link: MessagePort, WebSocket or HTTP. */
export const createSkeinClient = (link: ClientLink<ClientContext>): SkeinClient => createORPCClient(link);

/** The failure inside whatever a call threw, whole where the other side gave one. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ORPCError) {
    const parsed = failureSchema.safeParse(error.data);
    if (parsed.success) return parsed.data;
    if (error.code === 'BAD_REQUEST')
      return { code: 'bad-input', message: describeIssues(error.data) ?? error.message };
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
