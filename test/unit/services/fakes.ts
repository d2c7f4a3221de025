import { ok, type Result } from '../../../shared/domain/failure.ts';
import { nodeId, slot, wallTime, type NodeId, type Slot, type WallTime } from '../../../shared/domain/ids.ts';
import { instant, type Instant } from '../../../src-main/core/machine/time.ts';
import type { NodeEvent } from '../../../src-main/core/node/messages.ts';
import { apply } from '../../../src-main/core/state-machine/apply.ts';
import type { Command, CommandResult } from '../../../src-main/core/state-machine/command.ts';
import { createState } from '../../../src-main/core/state-machine/state.ts';
import type { Clock } from '../../../src-main/ports/clock.ts';
import type { Logger } from '../../../src-main/ports/logger.ts';
import type { ProposeOptions, Replica, ReplicaStatus } from '../../../src-main/services/replica.ts';

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Time that moves only when told to; the wall clock may be moved by itself. */
export class ManualClock implements Clock {
  #now = 1_000;
  #wallAheadMs = 1_000_000;
  #timers: { at: number; fire: () => void }[] = [];

  now(): Instant {
    return instant(this.#now);
  }

  wall(): WallTime {
    return wallTime(this.#now + this.#wallAheadMs);
  }

  moveWall(byMs: number): void {
    this.#wallAheadMs += byMs;
  }

  setTimer(afterMs: number, fire: () => void): () => void {
    const timer = { at: this.#now + afterMs, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Fires what is due, in order, and lets the promises that follow from each run. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settled();
    }
    this.#now = until;
    await settled();
  }
}

/** Lets every promise that can go on do so. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A log of one machine without a network: the real state machine, applied at once or when `release` is called. */
export class LocalReplica implements Replica {
  readonly self = nodeId('self');
  readonly commands: Command[] = [];
  /** While true, proposals wait as they do without a quorum. */
  held = false;
  readonly #state = createState();
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  #waiting: (() => void)[] = [];
  #slot = 0;

  state(): ReturnType<Replica['state']> {
    return this.#state;
  }

  status(): ReplicaStatus {
    const at = slot(this.#slot);
    return {
      role: 'coordinator',
      coordinator: this.self,
      ballot: null,
      config: null,
      committed: at,
      singleCopies: null,
      comparedSlot: null,
      outdated: null,
      applied: at,
    };
  }

  readIndex(): Promise<Result<Slot>> {
    return Promise.resolve(ok(slot(this.#slot)));
  }

  progress(): ReadonlyMap<NodeId, Slot> {
    return new Map();
  }

  leaseLeftMs(): null {
    return null;
  }

  delayLeftMs(): null {
    return null;
  }

  onEvent(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  propose(command: Command, options?: ProposeOptions): Promise<Result<CommandResult>> {
    return new Promise((resolve) => {
      options?.signal?.addEventListener('abort', () =>
        resolve({ ok: false, failure: { code: 'cancelled', message: 'given up' } }),
      );
      const go = (): void => {
        const result = this.apply(command);
        resolve(result.type === 'refused' ? { ok: false, failure: result.failure } : ok(result));
      };
      if (this.held) this.#waiting.push(go);
      else go();
    });
  }

  /** Applies what was held back, in order. */
  release(): void {
    this.held = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** As when a snapshot takes the place of entries that were missed. */
  tellReplaced(): void {
    for (const listener of [...this.#listeners]) listener({ type: 'state-replaced', slot: slot(this.#slot) });
  }

  apply(command: Command): CommandResult {
    this.commands.push(command);
    const at = slot(++this.#slot);
    const request = { client: 'self#run', sequence: this.#slot, answeredBelow: this.#slot, command };
    const { result, events } = apply(this.#state, at, { request, at: wallTime(this.#slot) });
    for (const listener of [...this.#listeners]) listener({ type: 'applied', slot: at, request, result, events });
    return result;
  }
}
