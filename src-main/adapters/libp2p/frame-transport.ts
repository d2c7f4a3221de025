import type { Connection, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { compareText, nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Logger } from '../../ports/logger.ts';
import type { FrameTransport } from '../../ports/transport.ts';
import type { SkeinNode } from './create-node.ts';
import { FrameLink } from './frame-link.ts';
import { frameBytesMax } from '../../core/machine/limits.ts';
import { openTimeoutMs } from './limits.ts';

const protocol = '/skein/frames/1';
const reopenDelayMs = 100;

/** Frames over one long-lived stream per pair; the peer with the smaller id opens it, so that there is just one. */
export class Libp2pFrames implements FrameTransport {
  readonly self: NodeId;
  readonly #logger: Logger;
  readonly #links = new Map<NodeId, FrameLink>();
  readonly #opening = new Set<NodeId>();
  /** When the latest frame of each peer came, on the clock that nobody sets. */
  readonly #heardAt = new Map<NodeId, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #watchers: ((peer: NodeId, connected: boolean) => void)[] = [];
  #node: SkeinNode | null = null;
  #frameHandler: (from: NodeId, frame: Uint8Array) => void = () => undefined;
  #peerHandler: (peer: NodeId, connected: boolean) => void = () => undefined;
  readonly counters = { framesSent: 0, framesReceived: 0, framesDropped: 0, bytesSent: 0, bytesReceived: 0 };

  constructor(self: NodeId, logger: Logger) {
    this.self = self;
    this.#logger = logger;
  }

  send(to: NodeId, frame: Uint8Array): void {
    const taken = frame.length > 0 && frame.length <= frameBytesMax && this.#links.get(to)?.send(frame) === true;
    if (!taken) {
      this.counters.framesDropped += 1;
      return;
    }
    this.counters.framesSent += 1;
    this.counters.bytesSent += frame.length;
  }

  connected(): readonly NodeId[] {
    return [...this.#links.keys()];
  }

  isConnected(peer: NodeId): boolean {
    return this.#links.has(peer);
  }

  /** Whether a frame of this peer came within the last `ms` milliseconds, over the stream that is open now. */
  hasHeard(peer: NodeId, ms: number): boolean {
    const heardAt = this.#heardAt.get(peer);
    return heardAt !== undefined && performance.now() - heardAt <= ms;
  }

  onFrame(handler: (from: NodeId, frame: Uint8Array) => void): void {
    this.#frameHandler = handler;
  }

  onPeer(handler: (peer: NodeId, connected: boolean) => void): void {
    this.#peerHandler = handler;
  }

  /** For the adapter's own parts; the port's single handler stays with the runtime. */
  watchPeers(watcher: (peer: NodeId, connected: boolean) => void): void {
    this.#watchers.push(watcher);
  }

  async attach(node: SkeinNode): Promise<void> {
    this.#node = node;
    await node.handle(
      protocol,
      (stream, connection) => {
        this.#accept(stream, connection);
      },
      { maxInboundStreams: 4, maxOutboundStreams: 4 },
    );
    node.addEventListener('connection:open', (event) => {
      this.#open(nodeId(event.detail.remotePeer.toString()));
    });
  }

  detach(): void {
    this.#node = null;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const link of [...this.#links.values()]) link.close('stopping');
  }

  #accept(stream: Stream, connection: Connection): void {
    const peer = nodeId(connection.remotePeer.toString());
    // Only the peer with the smaller id opens; anything else would make two streams and lose the order.
    if (this.#node === null || compareText(peer, this.self) > 0) {
      stream.abort(new Error('this side opens the frame stream'));
      return;
    }
    this.#install(peer, stream);
  }

  #open(peer: NodeId): void {
    if (compareText(this.self, peer) > 0 || this.#links.has(peer) || this.#opening.has(peer)) return;
    this.#opening.add(peer);
    void this.#openStream(peer)
      .catch((cause: unknown) => {
        this.#logger.debug('frame stream could not be opened', { peer, cause: String(cause) });
      })
      .finally(() => {
        this.#opening.delete(peer);
        if (!this.#links.has(peer)) this.#openLater(peer);
      });
  }

  async #openStream(peer: NodeId): Promise<void> {
    const connection = this.#node?.getConnections(peerIdFromString(peer)).find(({ status }) => status === 'open');
    if (connection === undefined) return;
    const stream = await connection.newStream(protocol, {
      signal: AbortSignal.timeout(openTimeoutMs),
      maxOutboundStreams: 4,
    });
    if (this.#node === null || stream.status !== 'open') stream.abort(new Error('stopping'));
    else this.#install(peer, stream);
  }

  /** Tries again only while there is a connection; the dialler makes a new one otherwise. */
  #openLater(peer: NodeId): void {
    if (this.#node === null || this.#node.getConnections(peerIdFromString(peer)).length === 0) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#open(peer);
    }, reopenDelayMs);
    this.#timers.add(timer);
  }

  #install(peer: NodeId, stream: Stream): void {
    this.#links.get(peer)?.close('replaced by a newer stream');
    const link: FrameLink = new FrameLink(peer, stream, {
      onFrame: (frame) => {
        this.#heardAt.set(peer, performance.now());
        this.counters.framesReceived += 1;
        this.counters.bytesReceived += frame.length;
        this.#frameHandler(peer, frame);
      },
      onClosed: () => {
        if (this.#links.get(peer) !== link) return;
        this.#links.delete(peer);
        this.#heardAt.delete(peer);
        this.#announce(peer, false);
        this.#openLater(peer);
      },
    });
    this.#links.set(peer, link);
    this.#announce(peer, true);
  }

  #announce(peer: NodeId, connected: boolean): void {
    this.#logger.info(connected ? 'peer connected' : 'peer disconnected', { peer });
    for (const watcher of this.#watchers) watcher(peer, connected);
    this.#peerHandler(peer, connected);
  }
}
