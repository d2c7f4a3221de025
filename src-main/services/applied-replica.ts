import type { Failure } from '../../shared/domain/failure.ts';
import { isEssential } from '../core/node/essential.ts';
import type { LockName, NodeId, SessionId, Slot } from '../../shared/domain/ids.ts';
import type { NodeMachine } from '../core/node/node.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ReadIndex } from '../runtime/read-index.ts';
import type { Requests } from '../runtime/requests.ts';
import type { ProposeOptions, Replica, ReplicaStatus } from './replica.ts';

export interface AppliedReplicaOptions {
  readonly self: NodeId;
  readonly node: NodeMachine;
  readonly requests: Requests;
  readonly reads: ReadIndex;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Why nothing but what is essential may be asked for now; null when all may. */
  readonly refusal: () => Failure | null;
}

/** The node machine and its requests, as services see them. */
export class AppliedReplica implements Replica {
  readonly self: NodeId;
  readonly #options: AppliedReplicaOptions;
  readonly #listeners = new Set<(event: NodeEvent) => void>();

  constructor(options: AppliedReplicaOptions) {
    this.self = options.self;
    this.#options = options;
  }

  state(): ReturnType<Replica['state']> {
    return this.#options.node.state;
  }

  status(): ReplicaStatus {
    const { role, coordinator, ballot, config, committed, singleCopies, checkpoint, outdated } = this.#options.node;
    return {
      role,
      coordinator: coordinator?.node ?? null,
      ballot: coordinator?.ballot ?? ballot,
      config,
      committed,
      applied: committed,
      singleCopies,
      comparedSlot: checkpoint?.slot ?? null,
      outdated,
    };
  }

  /** What this machine would bring into a new epoch. */
  get advance(): NodeMachine['advance'] {
    return this.#options.node.advance;
  }

  /** Requests of ended epochs that the present one may not have. */
  get setAside(): NodeMachine['setAside'] {
    return this.#options.node.setAside;
  }

  propose(command: Parameters<Replica['propose']>[0], options?: ProposeOptions): ReturnType<Replica['propose']> {
    const failure = isEssential(command) ? null : this.#options.refusal();
    return failure === null
      ? this.#options.requests.propose(command, options)
      : Promise.resolve({ ok: false, failure });
  }

  readIndex(signal?: AbortSignal): ReturnType<Replica['readIndex']> {
    return this.#options.reads.readIndex(signal);
  }

  progress(): ReadonlyMap<NodeId, Slot> {
    return this.#options.node.progress;
  }

  leaseLeftMs(session: SessionId): number | null {
    const ttlMs = this.#options.node.state.sessions.get(session)?.ttlMs;
    return ttlMs === undefined ? null : this.#options.node.leaseLeftMs(this.#options.clock.now(), session, ttlMs);
  }

  delayLeftMs(name: LockName, since: Slot, delayMs: number): number | null {
    return this.#options.node.delayLeftMs(this.#options.clock.now(), name, since, delayMs);
  }

  onEvent(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Passes an event on. A listener that fails must not stop the node, which has others to serve and a log to keep;
   * answers to requests come last, so that whoever proposed finds every listener already told.
   */
  heard(event: NodeEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#options.logger.error('a service failed on an event', {
          event: event.type,
          reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    }
    this.#options.requests.onEvent(event);
    this.#options.reads.onEvent(event);
  }
}
