import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fail, FailureError, ok, type Failure, type Result } from '../../shared/domain/failure.ts';
import { contentHash, type ContentHash, type NodeId } from '../../shared/domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ByteStream, ByteStreams } from '../ports/streams.ts';
import { withBackoff } from './backoff.ts';
import { Gate } from './concurrency.ts';
import { breakOnAbort, chunkBytesMax, isRecord, malformed, StreamReader, writeMessage } from './stream-messages.ts';

export const contentService = 'content';
/** Contents asked for on one stream. */
const hashesPerRequestMax = 256;
const requestBytesMax = 64 * 1_024;
/** Exchanges at once, each way: libp2p resets more than 32 inbound streams of one protocol per connection. */
const fetchesAtOnce = 6;
/** No single content is larger; a claim beyond it is refused before a byte is stored. */
const contentBytesMax = 1_024 ** 4;
/** About ten minutes: a submitter that restarts or sleeps for a moment must not cost its tasks an attempt. */
const retry = { firstMs: 100, longestMs: 10_000, triesMax: 65 };

export interface ContentExchangeOptions {
  readonly store: ContentStore;
  readonly streams: ByteStreams;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Gets contents by hash from members that have them, and hands out this machine's own. */
export class ContentExchange {
  readonly #options: ContentExchangeOptions;
  readonly #gate = new Gate(fetchesAtOnce);
  readonly #underway = new Map<ContentHash, Promise<Failure | null>>();

  constructor(options: ContentExchangeOptions) {
    this.#options = options;
    options.streams.handle(contentService, (stream) => this.#serve(stream));
  }

  /**
   * Makes sure that all contents are in the store, asking the sources in their order and again with back-off.
   * Fails with the reason that the first source gave, or `cancelled`.
   */
  async fetch(
    hashes: readonly ContentHash[],
    sources: () => readonly NodeId[],
    signal: AbortSignal,
  ): Promise<Result<null>> {
    let last: Failure = fail('not-found', 'No reachable member has the files of the task.').failure;
    const done = await withBackoff(this.#options.clock, retry, signal, async () => {
      const missing = await this.#missing(hashes);
      if (missing.length === 0) return true;
      let first: Failure | null = null;
      for (const source of sources()) {
        const failure = await this.#fetchFrom(source, await this.#missing(missing), signal);
        if (failure === null) return true;
        // The first source is the one that must have them; that the others have not is no news.
        first ??= failure;
        if (signal.aborted) return null;
      }
      last = first ?? last;
      return null;
    });
    if (done !== null) return ok(null);
    return signal.aborted ? fail('cancelled', 'Fetching files was given up.') : { ok: false, failure: last };
  }

  async #missing(hashes: readonly ContentHash[]): Promise<ContentHash[]> {
    const missing: ContentHash[] = [];
    for (const hash of new Set(hashes)) if (!(await this.#options.store.has(hash))) missing.push(hash);
    return missing;
  }

  async #fetchFrom(source: NodeId, hashes: readonly ContentHash[], signal: AbortSignal): Promise<Failure | null> {
    // Tasks that start together often need the same file: one of them fetches it, the others wait for that.
    const others = hashes.flatMap((hash) => this.#underway.get(hash) ?? []);
    const mine = hashes.filter((hash) => !this.#underway.has(hash));
    const fetching: Promise<Failure | null>[] = [];
    for (let offset = 0; offset < mine.length; offset += hashesPerRequestMax) {
      const part = mine.slice(offset, offset + hashesPerRequestMax);
      const exchange = this.#gate.run(() => this.#exchange(source, part, signal));
      for (const hash of part) this.#underway.set(hash, exchange);
      fetching.push(
        exchange.finally(() => {
          for (const hash of part) this.#underway.delete(hash);
        }),
      );
    }
    const failures = await Promise.all([...fetching, ...others]);
    return failures.find((failure) => failure !== null) ?? null;
  }

  async #exchange(source: NodeId, hashes: readonly ContentHash[], signal: AbortSignal): Promise<Failure | null> {
    let stream: ByteStream | null = null;
    let release: (() => void) | null = null;
    try {
      stream = await this.#options.streams.open(source, contentService, { signal, timeoutMs: 5_000 });
      release = breakOnAbort(stream, signal);
      await writeMessage(stream, { hashes });
      await stream.closeWrite();
      const reader = new StreamReader(stream);
      for (const hash of hashes) {
        const bytes = answeredBytes(await reader.message(requestBytesMax));
        if (bytes === null)
          throw new FailureError(
            fail('not-found', `The machine asked does not have the content ${hash.slice(0, 12)}.`).failure,
          );
        const stored = await this.#options.store.putStream({ hash, bytes }, reader.bytes(bytes));
        if (!stored.ok) throw new FailureError(stored.failure);
      }
      return null;
    } catch (error) {
      stream?.abort('the exchange failed');
      return error instanceof FailureError
        ? error.failure
        : fail('peer-unreachable', `Fetching files failed: ${String(error)}`).failure;
    } finally {
      release?.();
    }
  }

  async #serve(stream: ByteStream): Promise<void> {
    try {
      const hashes = requestedHashes(await new StreamReader(stream).message(requestBytesMax));
      for (const hash of hashes) await this.#send(stream, hash);
      await stream.closeWrite();
    } catch (error) {
      this.#options.logger.debug('a content request failed', { peer: stream.peer, reason: String(error) });
      stream.abort('the request failed');
    }
  }

  async #send(stream: ByteStream, hash: ContentHash): Promise<void> {
    const path = await this.#options.store.pathOf(hash);
    if (path === null) {
      await writeMessage(stream, { bytes: -1 });
      return;
    }
    const { size } = await stat(path);
    await writeMessage(stream, { bytes: size });
    if (size === 0) return;
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytesMax }))
      await stream.write(chunk as Uint8Array);
  }
}

function answeredBytes(message: unknown): number | null {
  if (!isRecord(message) || typeof message['bytes'] !== 'number' || !Number.isSafeInteger(message['bytes']))
    throw malformed('an answer without a length');
  if (message['bytes'] > contentBytesMax) throw malformed('an answer with an impossible length');
  return message['bytes'] < 0 ? null : message['bytes'];
}

function requestedHashes(message: unknown): readonly ContentHash[] {
  const hashes = isRecord(message) ? message['hashes'] : null;
  if (!Array.isArray(hashes) || hashes.length > hashesPerRequestMax)
    throw malformed('a content request without hashes');
  return hashes.map((hash: unknown) => {
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
      throw malformed('a content request with something that is no hash');
    return contentHash(hash);
  });
}
