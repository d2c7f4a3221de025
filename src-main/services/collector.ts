import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError } from '../../shared/domain/failure.ts';
import type { ContentHash, JobId, NodeId } from '../../shared/domain/ids.ts';
import type { StagedFile } from '../../shared/domain/task.ts';
import type { AttemptKey } from '../core/tasks/commands.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ByteStream, ByteStreams } from '../ports/streams.ts';
import { readSmallFile, writeFileAtomically } from '../swarm/atomic-file.ts';
import { checkedStagedFiles, outputFilesMax } from './attempt-folder.ts';
import {
  attemptKeyOf,
  collectMessageBytesMax,
  collectService,
  storeOutputList,
  tailBytesMax,
  tailService,
  type TailText,
} from './courier.ts';
import { parseJson } from './node-record.ts';
import type { Replica } from './replica.ts';
import { isRecord, malformed, StreamReader, writeMessage } from './stream-messages.ts';

const tailMessageBytesMax = 4 * tailBytesMax;

/** How long an offer waits for the log to name it. */
const catchUpMs = 1_000;

export interface CollectorOptions {
  readonly self: NodeId;
  readonly tailsHome: string;
  readonly replica: Replica;
  readonly store: ContentStore;
  readonly streams: ByteStreams;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The output text of an attempt of ours, as far as it was copied here. */
export interface KeptTail {
  readonly stdout: TailText | null;
  readonly stderr: TailText | null;
}

type Standing =
  { readonly type: 'ours' } | { readonly type: 'again' } | { readonly type: 'refused'; readonly reason: string };

/**
 * Takes in what the attempts of this machine's own jobs bring back. Only the machine that the log names for an
 * attempt may deliver for it, and only while that attempt is the live one.
 */
export class Collector {
  readonly #options: CollectorOptions;

  constructor(options: CollectorOptions) {
    this.#options = options;
    options.streams.handle(collectService, (stream) => this.#guarded(stream, () => this.#collect(stream)));
    options.streams.handle(tailService, (stream) => this.#guarded(stream, () => this.#takeTail(stream)));
  }

  async keptTail(key: Pick<AttemptKey, 'job' | 'index' | 'attempt'>): Promise<KeptTail | null> {
    const found = await readSmallFile(this.#tailPath(key), tailMessageBytesMax);
    if (!found.ok || found.value === null) return null;
    const parsed = parseJson(found.value.toString('utf8'));
    return isRecord(parsed) ? { stdout: tailTextOf(parsed['stdout']), stderr: tailTextOf(parsed['stderr']) } : null;
  }

  async forgetJob(job: JobId): Promise<void> {
    await rm(join(this.#options.tailsHome, String(job)), { recursive: true, force: true });
  }

  async #guarded(stream: ByteStream, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.debug('a delivery failed', { peer: stream.peer, reason: String(error) });
      stream.abort('the delivery failed');
    }
  }

  async #collect(stream: ByteStream): Promise<void> {
    const reader = new StreamReader(stream);
    const offer = await reader.message(collectMessageBytesMax);
    const key = isRecord(offer) ? attemptKeyOf(offer['key']) : null;
    const files = isRecord(offer) ? checkedStagedFiles(offer['files'], outputFilesMax) : null;
    if (key === null || files === null) throw malformed('an offer that is none');
    await this.#caughtUp(key);
    const standing = this.#standingOf(key, stream.peer, true);
    if (standing.type !== 'ours') {
      await writeMessage(stream, standing.type === 'again' ? { again: true } : { refused: standing.reason });
      await stream.closeWrite();
      return;
    }
    const wanted = await this.#missing(files);
    await writeMessage(stream, { wanted: wanted.map((file) => file.hash) });
    for (const { hash, bytes } of wanted) {
      const stored = await this.#options.store.putStream({ hash, bytes }, reader.bytes(bytes));
      if (!stored.ok) throw new FailureError(stored.failure);
    }
    await writeMessage(stream, await storeOutputList(this.#options.store, files));
    await stream.closeWrite();
  }

  async #missing(files: readonly StagedFile[]): Promise<readonly StagedFile[]> {
    const missing = new Map<ContentHash, StagedFile>();
    for (const file of files) if (!(await this.#options.store.has(file.hash))) missing.set(file.hash, file);
    return [...missing.values()];
  }

  async #takeTail(stream: ByteStream): Promise<void> {
    const message = await new StreamReader(stream).message(tailMessageBytesMax);
    const key = isRecord(message) ? attemptKeyOf(message['key']) : null;
    if (key === null || !isRecord(message)) throw malformed('a tail that is none');
    const standing = this.#standingOf(key, stream.peer, false);
    if (standing.type === 'ours') {
      const path = this.#tailPath(key);
      await mkdir(join(this.#options.tailsHome, String(key.job)), { recursive: true });
      const kept = { stdout: tailTextOf(message['stdout']), stderr: tailTextOf(message['stderr']) };
      const written = await writeFileAtomically(path, JSON.stringify(kept));
      if (!written.ok) this.#options.logger.warn('a tail could not be kept', { path, reason: written.failure.message });
    }
    await writeMessage(stream, standing.type === 'again' ? { again: true } : {});
    await stream.closeWrite();
  }

  /** The worker is often a moment ahead in the log: waiting for that moment is quicker than being asked again. */
  #caughtUp(key: AttemptKey): Promise<void> {
    const { replica, clock } = this.#options;
    if (key.token <= replica.status().applied) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = (): void => {
        unsubscribe();
        cancel();
        resolve();
      };
      const unsubscribe = replica.onEvent(() => (key.token <= replica.status().applied ? stop() : undefined));
      const cancel = clock.setTimer(catchUpMs, stop);
    });
  }

  #standingOf(key: AttemptKey, from: NodeId, mustLive: boolean): Standing {
    const { replica, self } = this.#options;
    // The worker may be ahead of this machine in the log.
    if (key.token > replica.status().applied) return { type: 'again' };
    const job = replica.state().tasks.job(key.job);
    const task = replica.state().tasks.task(key.job, key.index);
    if (job === null || task === null || job.submitter !== self)
      return { type: 'refused', reason: 'it is no job of this machine' };
    const attempt = task.attempts.find((other) => other.number === key.attempt && other.token === key.token);
    if (attempt === undefined || attempt.node !== from)
      return { type: 'refused', reason: 'the attempt is not of that machine' };
    if (mustLive && (attempt !== task.attempts.at(-1) || attempt.endedAt !== null))
      return { type: 'refused', reason: 'the attempt is over' };
    return { type: 'ours' };
  }

  #tailPath(key: Pick<AttemptKey, 'job' | 'index' | 'attempt'>): string {
    return join(this.#options.tailsHome, String(key.job), `${key.index}.${key.attempt}.json`);
  }
}

function tailTextOf(value: unknown): TailText | null {
  if (!isRecord(value) || typeof value['totalBytes'] !== 'number' || typeof value['base64'] !== 'string') return null;
  return { totalBytes: value['totalBytes'], base64: value['base64'].slice(0, 2 * tailBytesMax) };
}
