import { createReadStream } from 'node:fs';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import { contentHash, type ContentHash, type NodeId } from '../../shared/domain/ids.ts';
import type { StagedFile } from '../../shared/domain/task.ts';
import type { AttemptKey, OutputSummary } from '../core/tasks/commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ByteStream, ByteStreams } from '../ports/streams.ts';
import type { AttemptFolder } from './attempt-folder.ts';
import type { AttemptWork } from './attempt.ts';
import { withBackoff } from './backoff.ts';
import { Gate } from './concurrency.ts';
import type { OutputFiles } from './output-files.ts';
import { breakOnAbort, chunkBytesMax, isRecord, malformed, StreamReader, writeMessage } from './stream-messages.ts';

export const collectService = 'collect';
export const tailService = 'tail';
/** The end of each output stream that the submitter keeps, so that it survives the worker. */
export const tailBytesMax = 64 * 1_024;
export const collectMessageBytesMax = 16 * 1_024 * 1_024;
const deliveriesAtOnce = 6;
const tailsAtOnce = 2;
/** Tails that wait to be sent; beyond it they are left to be read from this machine while it is there. */
const tailsWaitingMax = 2_000;
/** A submitter that sleeps over a week-end still gets its outputs: they are kept here and offered again. */
const deliverRetry = { firstMs: 100, longestMs: 30_000, triesMax: 10_000 };
const tailRetry = { firstMs: 500, longestMs: 10_000, triesMax: 5 };

export interface CourierOptions {
  readonly self: NodeId;
  readonly store: ContentStore;
  readonly outputFiles: OutputFiles;
  readonly streams: ByteStreams;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Brings outputs and the end of the output text from the machine that ran an attempt to the one that asked for it. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #deliveries = new Gate(deliveriesAtOnce);
  readonly #tails = new Gate(tailsAtOnce);
  readonly #stopping = new AbortController();
  #tailsWaiting = 0;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopping.abort('this machine is stopping');
  }

  /**
   * Resolves once the submitter has all files on its disk and has said so. Tries again with back-off until `signal`
   * aborts. Throws a FailureError when the submitter refuses the attempt.
   */
  async deliver(work: AttemptWork, files: readonly StagedFile[], signal: AbortSignal): Promise<OutputSummary> {
    if (work.submitter === this.#options.self) return storeOutputList(this.#options.store, files);
    const summary = await withBackoff(this.#options.clock, deliverRetry, signal, async () => {
      try {
        return await this.#deliveries.run(() => this.#offer(work, files, signal));
      } catch (error) {
        if (error instanceof FailureError && error.failure.code === 'precondition-failed') throw error;
        this.#options.logger.debug('outputs could not be delivered yet', { job: work.key.job, reason: String(error) });
        return null;
      }
    });
    if (summary === null)
      throw new FailureError(
        fail('peer-unreachable', 'The submitter could not be reached to take the outputs.').failure,
      );
    return summary;
  }

  /** Sends the ends of the output text in the background; a loss means only that they must be read from here. */
  sendTail(work: AttemptWork, folder: AttemptFolder): void {
    if (work.submitter === this.#options.self || this.#tailsWaiting >= tailsWaitingMax) return;
    this.#tailsWaiting++;
    void this.#tails
      .run(() => this.#sendTail(work, folder))
      .catch((error: unknown) =>
        this.#options.logger.debug('a tail was not sent', { job: work.key.job, reason: String(error) }),
      )
      .finally(() => this.#tailsWaiting--);
  }

  async #offer(work: AttemptWork, files: readonly StagedFile[], signal: AbortSignal): Promise<OutputSummary | null> {
    const stream = await this.#options.streams.open(work.submitter, collectService, { signal, timeoutMs: 5_000 });
    const release = breakOnAbort(stream, signal);
    try {
      const reader = new StreamReader(stream);
      await writeMessage(stream, { key: work.key, files });
      const wanted = wantedOf(await reader.message(collectMessageBytesMax));
      if (wanted === null) return null;
      for (const hash of wanted) await this.#sendContent(stream, hash, files);
      const summary = summaryOf(await reader.message(collectMessageBytesMax));
      await stream.closeWrite();
      return summary;
    } catch (error) {
      stream.abort('the delivery failed');
      throw error;
    } finally {
      release();
    }
  }

  async #sendContent(stream: ByteStream, hash: ContentHash, files: readonly StagedFile[]): Promise<void> {
    const path = await this.#options.store.pathOf(hash);
    if (path === null || !files.some((file) => file.hash === hash))
      throw malformed('a wish for a content that was not offered');
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytesMax }))
      await stream.write(chunk as Uint8Array);
  }

  async #sendTail(work: AttemptWork, folder: AttemptFolder): Promise<void> {
    const tail = {
      key: work.key,
      stdout: await this.#tailOf(folder.stdout),
      stderr: await this.#tailOf(folder.stderr),
    };
    if (tail.stdout === null && tail.stderr === null) return;
    await withBackoff(this.#options.clock, tailRetry, this.#stopping.signal, async () => {
      try {
        const stream = await this.#options.streams.open(work.submitter, tailService, {
          signal: this.#stopping.signal,
          timeoutMs: 5_000,
        });
        await writeMessage(stream, tail);
        await stream.closeWrite();
        const answer = await new StreamReader(stream).message(1_024);
        return isRecord(answer) && answer['again'] !== true ? true : null;
      } catch (error) {
        this.#options.logger.debug('a tail could not be sent yet', { job: work.key.job, reason: String(error) });
        return null;
      }
    });
  }

  async #tailOf(path: string): Promise<TailText | null> {
    const tail = await this.#options.outputFiles.tail(path, tailBytesMax);
    return tail.ok
      ? { totalBytes: tail.value.totalBytes, base64: Buffer.from(tail.value.bytes).toString('base64') }
      : null;
  }
}

/** The end of a stream of output as it travels and is kept: `totalBytes` says how much there was. */
export interface TailText {
  readonly totalBytes: number;
  readonly base64: string;
}

/** Writes the document that lists an attempt's outputs. Throws what the store answers. */
export async function storeOutputList(store: ContentStore, files: readonly StagedFile[]): Promise<OutputSummary> {
  const stored = await store.putBytes(Buffer.from(JSON.stringify(files), 'utf8'));
  if (!stored.ok) throw new FailureError(stored.failure);
  return {
    manifest: stored.value.hash,
    fileCount: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
}

export function attemptKeyOf(value: unknown): AttemptKey | null {
  if (!isRecord(value)) return null;
  const { job, index, attempt, token } = value;
  const whole = [job, index, attempt, token].every(
    (part) => typeof part === 'number' && Number.isSafeInteger(part) && part >= 0,
  );
  return whole ? ({ job, index, attempt, token } as AttemptKey) : null;
}

/** Null when the submitter asks to come again later. */
function wantedOf(message: unknown): readonly ContentHash[] | null {
  if (!isRecord(message)) throw malformed('no answer to an offer');
  if (message['again'] === true) return null;
  if (typeof message['refused'] === 'string')
    throw new FailureError(
      fail('precondition-failed', `The submitter refused the outputs: ${message['refused'].slice(0, 300)}`).failure,
    );
  const wanted = message['wanted'];
  if (!Array.isArray(wanted) || !wanted.every((hash) => typeof hash === 'string'))
    throw malformed('an answer without wishes');
  return wanted.map((hash: string) => contentHash(hash));
}

function summaryOf(message: unknown): OutputSummary {
  if (!isRecord(message)) throw malformed('no receipt for the outputs');
  const { manifest, fileCount, bytes } = message;
  if (typeof manifest !== 'string' || typeof fileCount !== 'number' || typeof bytes !== 'number')
    throw malformed('a receipt that is none');
  return { manifest: contentHash(manifest), fileCount, bytes };
}
