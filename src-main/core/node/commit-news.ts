import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Instant } from '../machine/time.ts';
import type { Replica } from '../paxos/replica.ts';
import type { LoggedRequest, Request } from '../state-machine/command.ts';
import type { NodeTimer } from './messages.ts';

/** A machine that asked for something within this time may be waiting for what comes of it. */
export const askedWithinMs = 1_000;

export interface CommitNewsOptions {
  readonly replica: Replica<LoggedRequest>;
  readonly connected: ReadonlySet<NodeId>;
  /** How long those who asked for nothing may go without the news. */
  readonly commitNewsMs: number;
  readonly arm: (timer: NodeTimer, afterMs: number) => void;
}

/**
 * When the others hear that entries are chosen. The next accept says so in passing, and under load it comes within a
 * millisecond or two; a message of its own would cost every machine a wake-up per write. So only machines that may be
 * waiting for an answer are told at once, the rest a little later if no accept has told them meanwhile.
 */
export class CommitNews {
  readonly #options: CommitNewsOptions;
  readonly #askedAt = new Map<NodeId, Instant>();
  #armed = false;

  constructor(options: CommitNewsOptions) {
    this.#options = options;
  }

  /** The renewal of a session comes by itself, every few seconds: nobody waits for its answer. */
  noteRequests(now: Instant, node: NodeId, requests: readonly Request[]): void {
    if (requests.some(({ command }) => command.type !== 'session-renewed')) this.noteAsked(now, node);
  }

  noteAsked(now: Instant, node: NodeId): void {
    this.#askedAt.set(node, now);
  }

  forget(node: NodeId): void {
    this.#askedAt.delete(node);
  }

  /** After each step of a coordinator. */
  tell(now: Instant): void {
    const { replica, connected, commitNewsMs, arm } = this.#options;
    if (!replica.hasCommitNews) return;
    const waiting = [...connected].filter((node) => {
      const askedAt = this.#askedAt.get(node);
      return askedAt !== undefined && now - askedAt < askedWithinMs;
    });
    replica.announceCommit(waiting, waiting.length === connected.size);
    if (this.#armed || !replica.hasCommitNews) return;
    this.#armed = true;
    arm('commit-news', commitNewsMs);
  }

  /** The wait of the others is over. */
  tellAll(): void {
    this.#armed = false;
    const { replica, connected } = this.#options;
    if (replica.hasCommitNews) replica.announceCommit([...connected], true);
  }
}
