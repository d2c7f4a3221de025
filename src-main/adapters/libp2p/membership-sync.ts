import { FailureError } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ByteStream } from '../../ports/streams.ts';
import type { MembershipSet } from '../../swarm/membership-set.ts';
import { isObject, parseJson } from '../../swarm/records.ts';
import type { AddressBook } from './address-book.ts';
import type { Libp2pByteStreams } from './byte-streams.ts';
import type { Libp2pFrames } from './frame-transport.ts';
import { syncBytesMax, syncTimeoutMs } from './limits.ts';

const service = 'membership';
const announceDelayMs = 20;

export interface MembershipSyncParts {
  readonly membership: MembershipSet;
  readonly book: AddressBook;
  readonly frames: Libp2pFrames;
  readonly streams: Libp2pByteStreams;
  readonly ownAddresses: () => readonly string[];
  readonly logger: Logger;
}

/** Both sides of a new connection show each other all they know; whoever learns something tells everyone connected. */
export class MembershipSync {
  readonly #parts: MembershipSyncParts;
  readonly #running = new Set<NodeId>();
  readonly #again = new Set<NodeId>();
  #timer: NodeJS.Timeout | null = null;
  #unsubscribe: () => void = () => undefined;

  constructor(parts: MembershipSyncParts) {
    this.#parts = parts;
    parts.streams.handle(service, (stream) => this.#answer(stream));
    parts.frames.watchPeers((peer, connected) => {
      // One side is enough, since an exchange goes both ways.
      if (connected && parts.frames.self < peer) this.#exchange(peer);
    });
  }

  start(): void {
    this.#unsubscribe = this.#parts.membership.onChange(() => {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        for (const peer of this.#parts.frames.connected()) this.#exchange(peer);
      }, announceDelayMs);
    });
  }

  stop(): void {
    this.#unsubscribe();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** At most one exchange per peer runs; any number of wishes in between become one more. */
  #exchange(peer: NodeId): void {
    if (this.#running.has(peer)) {
      this.#again.add(peer);
      return;
    }
    this.#running.add(peer);
    void this.#ask(peer)
      .catch((cause: unknown) => {
        this.#parts.logger.debug('membership exchange failed', { peer, cause: String(cause) });
      })
      .finally(() => {
        this.#running.delete(peer);
        if (this.#again.delete(peer) && this.#parts.frames.isConnected(peer)) this.#exchange(peer);
      });
  }

  async #ask(peer: NodeId): Promise<void> {
    const stream = await this.#parts.streams.open(peer, service, { signal: AbortSignal.timeout(syncTimeoutMs) });
    await stream.write(this.#document());
    await stream.closeWrite();
    this.#take(peer, await readAll(stream));
  }

  async #answer(stream: ByteStream): Promise<void> {
    const timer = setTimeout(() => {
      stream.abort('the exchange took too long');
    }, syncTimeoutMs);
    try {
      this.#take(stream.peer, await readAll(stream));
      await stream.write(this.#document());
      await stream.closeWrite();
    } finally {
      clearTimeout(timer);
    }
  }

  #document(): Uint8Array {
    const { membership, book, frames, ownAddresses } = this.#parts;
    const addresses = { ...book.toJson((id) => membership.isMember(id)), [frames.self]: ownAddresses() };
    return Buffer.from(JSON.stringify({ version: 1, membership: membership.encode(), addresses }));
  }

  #take(peer: NodeId, bytes: Uint8Array): void {
    const { membership, book, frames, logger } = this.#parts;
    const document = parseJson(Buffer.from(bytes).toString('utf8'));
    if (!isObject(document) || typeof document['membership'] !== 'string') {
      logger.warn('a peer sent no membership list', { peer });
      return;
    }
    const merged = membership.merge(document['membership']);
    if (!merged.ok) logger.warn('a membership list was refused', { peer, failure: merged.failure.message });
    book.addJson(document['addresses'], (id) => id !== frames.self && membership.isMember(id));
  }
}

async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream.chunks) {
    bytes += chunk.length;
    if (bytes > syncBytesMax) {
      stream.abort('too long');
      throw new FailureError({
        code: 'limit-reached',
        message: `${stream.peer} sent more than ${String(syncBytesMax)} bytes of membership.`,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
