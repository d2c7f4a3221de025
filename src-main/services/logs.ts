import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { Attempt } from '../../shared/domain/task.ts';
import type { AttemptKey } from '../core/tasks/commands.ts';
import type { Logger } from '../ports/logger.ts';
import type { ByteStream, ByteStreams } from '../ports/streams.ts';
import { attemptFolder, droppedOf } from './attempt-folder.ts';
import type { Collector } from './collector.ts';
import { attemptKeyOf, type TailText } from './courier.ts';
import type { OutputFiles } from './output-files.ts';
import type { Replica } from './replica.ts';
import { breakOnAbort, isRecord, malformed, StreamReader, writeMessage } from './stream-messages.ts';

export const logsService = 'logs';
const chunkBytesMax = 1_048_576;
const waitMsMax = 20_000;
const answerBytesMax = 2 * chunkBytesMax + 4_096;

export interface LogRequest {
  readonly stream: 'stdout' | 'stderr';
  readonly offset: number;
  readonly bytesMax: number;
  readonly waitMs: number;
}

export interface LogChunk {
  readonly offset: number;
  readonly nextOffset: number;
  readonly totalBytes: number;
  readonly text: string;
  readonly ended: boolean;
  readonly missingBytes: number;
  /** Bytes the program wrote that are not kept, behind the end; 0 until it has ended. */
  readonly droppedBytes: number;
  readonly source: 'worker' | 'tail' | 'none';
}

interface Piece {
  readonly offset: number;
  readonly bytes: Buffer;
  readonly totalBytes: number;
  /** The attempt was over before the file was read: nothing more can come. */
  readonly ended: boolean;
  readonly droppedBytes: number;
}

export interface LogsOptions {
  readonly self: NodeId;
  readonly attemptsHome: string;
  readonly replica: Replica;
  readonly collector: Collector;
  readonly outputFiles: OutputFiles;
  readonly streams: ByteStreams;
  readonly logger: Logger;
}

/** Reads output text by byte offset where it lies, and the kept tail when that machine cannot be asked. */
export class Logs {
  readonly #options: LogsOptions;

  constructor(options: LogsOptions) {
    this.#options = options;
    options.streams.handle(logsService, (stream) => this.#serve(stream));
  }

  async read(key: AttemptKey, node: NodeId, request: LogRequest, signal: AbortSignal): Promise<LogChunk> {
    const bounded = {
      ...request,
      bytesMax: Math.min(request.bytesMax, chunkBytesMax),
      waitMs: Math.min(request.waitMs, waitMsMax),
    };
    if (node === this.#options.self) return chunkOf(await this.#readHere(key, bounded), bounded.offset, 'worker');
    try {
      return chunkOf(await this.#readThere(key, node, bounded, signal), bounded.offset, 'worker');
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      const tail = await this.#options.collector.keptTail(key);
      const kept = tail === null ? null : tail[bounded.stream];
      if (kept !== null) return tailChunk(kept, bounded);
      // While the attempt runs the machine may come back; afterwards its text is gone with it.
      const ended = this.#attempt(key)?.endedAt !== null;
      return {
        offset: bounded.offset,
        nextOffset: bounded.offset,
        totalBytes: bounded.offset,
        text: '',
        ended,
        missingBytes: 0,
        droppedBytes: 0,
        source: 'none',
      };
    }
  }

  async #readHere(key: AttemptKey, request: LogRequest): Promise<Piece> {
    const folder = attemptFolder(this.#options.attemptsHome, key);
    // Read before the file, so that "ended" is never said of bytes not yet written.
    const endedBefore = this.#ended(key);
    const piece = await this.#options.outputFiles.read(
      request.stream === 'stdout' ? folder.stdout : folder.stderr,
      request.offset,
      request.bytesMax,
      endedBefore ? 0 : request.waitMs,
    );
    if (!piece.ok)
      return {
        offset: request.offset,
        bytes: Buffer.alloc(0),
        totalBytes: request.offset,
        ended: endedBefore,
        droppedBytes: 0,
      };
    const { bytes, totalBytes, nextOffset } = piece.value;
    const ended = endedBefore && nextOffset >= totalBytes;
    return {
      offset: request.offset,
      bytes: Buffer.from(bytes),
      totalBytes,
      ended,
      droppedBytes: ended ? (await droppedOf(folder))[request.stream] : 0,
    };
  }

  async #readThere(key: AttemptKey, node: NodeId, request: LogRequest, signal: AbortSignal): Promise<Piece> {
    const stream = await this.#options.streams.open(node, logsService, { signal, timeoutMs: 3_000 });
    const release = breakOnAbort(stream, signal);
    try {
      await writeMessage(stream, { key, ...request });
      await stream.closeWrite();
      return pieceOf(await new StreamReader(stream).message(answerBytesMax));
    } finally {
      release();
    }
  }

  async #serve(stream: ByteStream): Promise<void> {
    try {
      const message = await new StreamReader(stream).message(4_096);
      const key = isRecord(message) ? attemptKeyOf(message['key']) : null;
      const request = isRecord(message) ? requestOf(message) : null;
      if (key === null || request === null) throw malformed('a request for output that is none');
      const piece = await this.#readHere(key, request);
      await writeMessage(stream, {
        offset: piece.offset,
        totalBytes: piece.totalBytes,
        ended: piece.ended,
        dropped: piece.droppedBytes,
        base64: piece.bytes.toString('base64'),
      });
      await stream.closeWrite();
    } catch (error) {
      this.#options.logger.debug('a request for output failed', { peer: stream.peer, reason: String(error) });
      stream.abort('the request failed');
    }
  }

  #attempt(key: AttemptKey): Attempt | null {
    const task = this.#options.replica.state().tasks.task(key.job, key.index);
    return task?.attempts.find((attempt) => attempt.number === key.attempt) ?? null;
  }

  #ended(key: AttemptKey): boolean {
    const attempt = this.#attempt(key);
    return attempt === null || attempt.endedAt !== null;
  }
}

/** Text ends at a whole character: a reader that goes on at `nextOffset` gets the rest of the cut one. */
function chunkOf(piece: Piece, asked: number, source: 'worker'): LogChunk {
  const whole = piece.ended ? piece.bytes.length : wholeCharacters(piece.bytes);
  const nextOffset = piece.offset + whole;
  return {
    offset: piece.offset,
    nextOffset,
    totalBytes: Math.max(piece.totalBytes, nextOffset),
    text: piece.bytes.subarray(0, whole).toString('utf8'),
    ended: piece.ended,
    missingBytes: Math.max(0, piece.offset - asked),
    droppedBytes: piece.droppedBytes,
    source,
  };
}

function tailChunk(tail: TailText, request: LogRequest): LogChunk {
  const bytes = Buffer.from(tail.base64, 'base64');
  const first = tail.totalBytes - bytes.length;
  const offset = Math.max(request.offset, first);
  const part = bytes.subarray(Math.max(0, offset - first), Math.max(0, offset - first) + request.bytesMax);
  const nextOffset = offset + part.length;
  return {
    offset,
    nextOffset,
    totalBytes: tail.totalBytes,
    text: part.toString('utf8'),
    ended: nextOffset >= tail.totalBytes,
    missingBytes: Math.max(0, offset - request.offset),
    droppedBytes: 0,
    source: 'tail',
  };
}

/** Bytes up to the last whole UTF-8 character; a cut one is at most three bytes long. */
export function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < length ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function pieceOf(message: unknown): Piece {
  if (!isRecord(message))
    throw new FailureError(fail('peer-unreachable', 'The machine that holds the output did not answer.').failure);
  const { offset, totalBytes, ended, base64, dropped } = message;
  if (typeof offset !== 'number' || typeof totalBytes !== 'number' || typeof base64 !== 'string')
    throw malformed('output in a form that is none');
  return {
    offset,
    totalBytes,
    ended: ended === true,
    // Absent from machines of an earlier version.
    droppedBytes: typeof dropped === 'number' && Number.isSafeInteger(dropped) ? dropped : 0,
    bytes: Buffer.from(base64, 'base64'),
  };
}

function requestOf(message: Readonly<Record<string, unknown>>): LogRequest | null {
  const { stream, offset, bytesMax, waitMs } = message;
  if (stream !== 'stdout' && stream !== 'stderr') return null;
  if (typeof offset !== 'number' || typeof bytesMax !== 'number' || typeof waitMs !== 'number') return null;
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(bytesMax) || bytesMax < 1) return null;
  return {
    stream,
    offset,
    bytesMax: Math.min(bytesMax, chunkBytesMax),
    waitMs: Math.min(Math.max(0, waitMs), waitMsMax),
  };
}
