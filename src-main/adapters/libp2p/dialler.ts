import { peerIdFromString } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { compareText, nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Logger } from '../../ports/logger.ts';
import type { AddressBook } from './address-book.ts';
import type { SkeinNode } from './create-node.ts';
import { dialBackoffMaxMs, dialBackoffMinMs, dialCourtesyMs, dialsAtOnceMax, dialTimeoutMs } from './limits.ts';

interface Target {
  attempts: number;
  /** By the process's own clock, in milliseconds. */
  dueAt: number;
  dialling: boolean;
}

/**
 * Keeps trying to reach every member for as long as it runs: the library's own reconnecting gives up after a minute.
 * Waits 200 ms to 10 s between tries, with jitter so that machines that lost power together do not come back in step.
 */
export class Dialler {
  readonly #self: NodeId;
  readonly #book: AddressBook;
  readonly #members: () => readonly NodeId[];
  readonly #logger: Logger;
  readonly #targets = new Map<NodeId, Target>();
  #node: SkeinNode | null = null;
  #timer: NodeJS.Timeout | null = null;
  #dialling = 0;

  constructor(options: {
    readonly self: NodeId;
    readonly book: AddressBook;
    readonly members: () => readonly NodeId[];
    readonly logger: Logger;
  }) {
    this.#self = options.self;
    this.#book = options.book;
    this.#members = options.members;
    this.#logger = options.logger;
  }

  start(node: SkeinNode): void {
    this.#node = node;
    node.addEventListener('connection:open', (event) => {
      const { direction, remoteAddr, remotePeer } = event.detail;
      const peer = nodeId(remotePeer.toString());
      if (direction === 'outbound') this.#book.add(peer, remoteAddr.toString(), true);
      const target = this.#targets.get(peer);
      if (target !== undefined) target.attempts = 0;
    });
    node.addEventListener('peer:disconnect', (event) => {
      this.#begin(nodeId(event.detail.toString()));
    });
    this.refresh();
  }

  stop(): void {
    this.#node = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Something changed: looks again at who is missing. */
  refresh(): void {
    const members = new Set(this.#members());
    for (const id of this.#targets.keys()) if (!members.has(id)) this.#targets.delete(id);
    for (const id of members) if (id !== this.#self && !this.#targets.has(id)) this.#begin(id);
    this.#schedule();
  }

  /** There is news about one peer, so waiting longer makes no sense. */
  hurry(id: NodeId): void {
    const target = this.#targets.get(id);
    if (target === undefined) return;
    target.attempts = 0;
    target.dueAt = Math.min(target.dueAt, performance.now() + this.#courtesyMs(id));
    this.#schedule();
  }

  #begin(id: NodeId): void {
    if (this.#node === null) return;
    const dueAt = performance.now() + this.#courtesyMs(id) + Math.random() * 50;
    this.#targets.set(id, { attempts: 0, dueAt, dialling: this.#targets.get(id)?.dialling ?? false });
    this.#schedule();
  }

  /** The smaller id dials at once and the other a little later, because perhaps only one of them can reach the other. */
  #courtesyMs(id: NodeId): number {
    return compareText(this.#self, id) < 0 ? 0 : dialCourtesyMs;
  }

  #schedule(): void {
    if (this.#node === null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const due = [...this.#targets]
      .filter(([id, target]) => !target.dialling && !this.#isConnected(id))
      .map(([, { dueAt }]) => dueAt);
    if (due.length === 0 || this.#dialling >= dialsAtOnceMax) return;
    this.#timer = setTimeout(
      () => {
        this.#dialDue();
      },
      Math.max(10, Math.min(...due) - performance.now()),
    );
  }

  #dialDue(): void {
    const now = performance.now();
    const due = [...this.#targets]
      .filter(([, target]) => !target.dialling && target.dueAt <= now)
      .sort(([, left], [, right]) => left.dueAt - right.dueAt);
    for (const [id, target] of due) {
      if (this.#dialling >= dialsAtOnceMax) break;
      if (!this.#isConnected(id)) this.#dial(id, target);
    }
    this.#schedule();
  }

  #dial(id: NodeId, target: Target): void {
    target.dialling = true;
    target.attempts += 1;
    this.#dialling += 1;
    const backoffMs = Math.min(dialBackoffMaxMs, dialBackoffMinMs * 2 ** Math.min(target.attempts - 1, 10));
    void this.#connect(id)
      .catch((cause: unknown) => {
        this.#logger.debug('dial failed', { peer: id, attempts: target.attempts, cause: String(cause) });
      })
      .finally(() => {
        this.#dialling -= 1;
        target.dialling = false;
        target.dueAt = performance.now() + backoffMs * (0.75 + Math.random() * 0.5);
        this.#schedule();
      });
  }

  async #connect(id: NodeId): Promise<void> {
    const addresses = this.#book.of(id);
    if (this.#node === null || addresses.length === 0) return;
    await this.#node.dial(
      addresses.map((address) => multiaddr(`${address}/p2p/${id}`)),
      { signal: AbortSignal.timeout(dialTimeoutMs) },
    );
  }

  #isConnected(id: NodeId): boolean {
    return (this.#node?.getConnections(peerIdFromString(id)).length ?? 0) > 0;
  }
}
