import type { Failure } from '../../../shared/domain/failure.ts';
import { nodeId, wallTime, type NodeId } from '../../../shared/domain/ids.ts';
import { instant } from '../../../src-main/core/machine/time.ts';
import type { NodeFact, NodeMessage } from '../../../src-main/core/node/messages.ts';
import type { Clock } from '../../../src-main/ports/clock.ts';
import type { Journal } from '../../../src-main/ports/journal.ts';
import type { Logger } from '../../../src-main/ports/logger.ts';
import type { FrameTransport } from '../../../src-main/ports/transport.ts';

export const [self, peer] = [nodeId('a'), nodeId('b')];

export const fact = (slot: number): NodeFact => ({ type: 'committed', slot }) as unknown as NodeFact;
export const message = (fromSlot: number): NodeMessage =>
  ({ type: 'learn-request', fromSlot }) as unknown as NodeMessage;

interface Write {
  readonly type: 'append' | 'replace';
  readonly count: number;
  readonly sync: boolean;
  readonly done: (failure?: Failure) => void;
}

/** A journal whose writes complete when the test says so. */
export class HeldJournal implements Journal {
  readonly writes: Write[] = [];
  readonly bytes = 0;

  append(
    records: readonly Uint8Array[],
    { sync }: { readonly sync: boolean },
    done: (failure?: Failure) => void,
  ): void {
    this.writes.push({ type: 'append', count: records.length, sync, done });
  }

  replaceHead(head: Iterable<Uint8Array>, done: (failure?: Failure) => void): void {
    this.writes.push({ type: 'replace', count: [...head].length, sync: true, done });
  }

  /** Completes the oldest write. */
  complete(failure?: Failure): void {
    this.writes.shift()?.done(failure);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Clocks and timers that move when the test says so. */
export class HeldClock implements Clock {
  at = 1_000;
  wallAt = 1_000_000;
  #timers: { readonly due: number; readonly fire: () => void }[] = [];

  now(): ReturnType<Clock['now']> {
    return instant(this.at);
  }

  wall(): ReturnType<Clock['wall']> {
    return wallTime(this.wallAt);
  }

  setTimer(afterMs: number, fire: () => void): () => void {
    const timer = { due: this.at + afterMs, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Both clocks go on together, firing what is due on the way. */
  pass(ms: number): void {
    const end = this.at + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ due }) => due <= end).sort((left, right) => left.due - right.due);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.wallAt += Math.max(0, next.due - this.at);
      this.at = Math.max(this.at, next.due);
      next.fire();
    }
    this.wallAt += end - this.at;
    this.at = end;
  }
}

/** A transport that keeps what was sent and lets the test play the peers. */
export class FakeTransport implements FrameTransport {
  readonly self: NodeId = self;
  readonly sent: { readonly to: NodeId; readonly frame: Uint8Array }[] = [];
  frame: (from: NodeId, frame: Uint8Array) => void = () => undefined;
  peer: (peer: NodeId, connected: boolean) => void = () => undefined;

  send(to: NodeId, frame: Uint8Array): void {
    this.sent.push({ to, frame });
  }
  connected(): readonly NodeId[] {
    return [peer];
  }
  onFrame(handler: (from: NodeId, frame: Uint8Array) => void): void {
    this.frame = handler;
  }
  onPeer(handler: (peer: NodeId, connected: boolean) => void): void {
    this.peer = handler;
  }
}

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
export const diskFailed: Failure = { code: 'disk-failed', message: 'the disk answered EIO' };
