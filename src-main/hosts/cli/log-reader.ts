import type { SkeinClient } from '../../../shared/contract/client.ts';
import { bytesWords } from './words.ts';

const waitMs = 10_000;

export interface LogRequest {
  readonly selector: string;
  readonly attempt: number | undefined;
  readonly stream: 'stdout' | 'stderr';
  /** Waits for more until the output has ended. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export type LogChunk = Awaited<ReturnType<SkeinClient['tasks']['readLog']>>;

/** Reads one output stream from its first byte: to its present end, or while following, until it has ended. */
export async function* readLog(client: SkeinClient, request: LogRequest): AsyncGenerator<LogChunk, void, void> {
  let offset = 0;
  for (;;) {
    const chunk = await client.tasks.readLog(
      {
        selector: request.selector,
        stream: request.stream,
        offset,
        waitMs: request.follow ? waitMs : 0,
        ...(request.attempt === undefined ? {} : { attempt: request.attempt }),
      },
      { signal: request.signal },
    );
    if (chunk.text !== '' || missingWords(chunk, '') !== '') yield chunk;
    const advanced = chunk.nextOffset > offset;
    offset = chunk.nextOffset;
    if (chunk.ended && (!advanced || offset >= chunk.totalBytes)) return;
    if (!request.follow && (!advanced || offset >= chunk.totalBytes)) return;
  }
}

/** What is not there of a stream, as a sentence; empty when nothing is missing. */
export function missingWords(chunk: LogChunk, stream: string): string {
  if (chunk.droppedBytes > 0)
    return `The program wrote ${bytesWords(chunk.droppedBytes)} more to ${stream} than is kept.`;
  return chunk.missingBytes > 0 ? `${bytesWords(chunk.missingBytes)} of ${stream} are not kept.` : '';
}
