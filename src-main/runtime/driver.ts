import type { Failure } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { Instant } from '../core/machine/time.ts';
import type { NodeEvent, NodeFact, NodeInput, NodeMessage, NodeTimer } from '../core/node/messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import type { Logger } from '../ports/logger.ts';
import type { FrameTransport } from '../ports/transport.ts';
import { decodeFrame, encodeFrames } from '../wire/frame.ts';
import { frameBytesMax } from '../core/machine/limits.ts';
import { ClockWatch, clockTickMs } from './clock-watch.ts';
import { Outbox, outboxWaitingMax, type NodeEffect } from './outbox.ts';

/** The stepped machine that a driver drives. */
export interface DrivenNode {
  step(now: Instant, input: NodeInput): readonly NodeEffect[];
  durableFacts(): readonly NodeFact[];
}

export interface DriverOptions {
  readonly node: DrivenNode;
  readonly journal: Journal;
  readonly transport: FrameTransport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In the order of the log, after everything it tells is on disk. May hand in further inputs. */
  readonly onEvent: (event: NodeEvent) => void;
  /** The node has halted for good: its disk failed, or it caught itself in a mistake. It answers nobody any more. */
  readonly onFailed: (failure: Failure) => void;
}

/** Damaged frames of one peer, or messages that only newer programs understand, between two log lines about them. */
const badFramesPerLine = 1_000;

/**
 * The loop: take one input, step the node, carry out its effects in order. There is no `await` between an input and
 * its effects; disk, network and timers report back as later inputs.
 */
export class Driver {
  readonly #options: DriverOptions;
  readonly #outbox: Outbox;
  readonly #watch: ClockWatch;
  readonly #timers = new Map<NodeTimer, () => void>();
  readonly #badFrames = new Map<NodeId, number>();
  readonly #passedOver = new Map<NodeId, number>();
  #inputs: NodeInput[] = [];
  #running = false;
  #halted = false;
  #cancelTick: (() => void) | null = null;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#watch = new ClockWatch(options.clock);
    this.#outbox = new Outbox({
      self: options.transport.self,
      journal: options.journal,
      durableFacts: () => options.node.durableFacts(),
      sendAll: (to, messages) => this.#send(to, messages),
      sendToSelf: (message) => this.#inputs.push({ type: 'received', from: options.transport.self, message }),
      emit: options.onEvent,
      setTimer: (timer, afterMs) => this.#setTimer(timer, afterMs),
      cancelTimer: (timer) => this.#cancelTimer(timer),
      wake: () => this.#run(),
      onFailure: (failure) => this.#fail(failure),
    });
  }

  get halted(): boolean {
    return this.#halted;
  }

  /** Sets the transport's handlers and starts the node. Peers that are connected already are told first. */
  start(): void {
    const { transport } = this.#options;
    transport.onFrame((from, frame) => this.#onFrame(from, frame));
    transport.onPeer((peer, connected) =>
      this.input({ type: connected ? 'peer-connected' : 'peer-disconnected', peer }),
    );
    for (const peer of transport.connected()) this.#inputs.push({ type: 'peer-connected', peer });
    this.#tick();
    this.input({ type: 'started' });
  }

  /** Ends the loop: timers are cancelled and nothing leaves any more. The journal stays open; its owner closes it. */
  stop(): void {
    this.#halted = true;
    this.#inputs = [];
    this.#cancelTick?.();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** The node must not go on, though nothing failed here: it ends as if the disk had. */
  halt(failure: Failure): void {
    this.#fail(failure);
  }

  /** Queues one input; it is handled before this returns, unless a step is under way. */
  input(input: NodeInput): void {
    if (this.#halted) return;
    this.#inputs.push(input);
    this.#run();
  }

  #run(): void {
    if (this.#running || this.#halted) return;
    this.#running = true;
    try {
      if (this.#watch.look()) this.#inputs.unshift({ type: 'woke' });
      do {
        this.#stepAll();
        this.#outbox.flush();
        this.#outbox.drain();
      } while (this.#inputs.length > 0 && !this.#halted);
    } catch (cause) {
      this.#failBecause(cause);
    } finally {
      this.#running = false;
    }
  }

  #stepAll(): void {
    while (this.#inputs.length > 0 && !this.#halted) {
      const inputs = this.#inputs;
      this.#inputs = [];
      for (const input of inputs) {
        const effects = this.#options.node.step(this.#options.clock.now(), input);
        this.#outbox.take(effects);
      }
    }
  }

  #onFrame(from: NodeId, bytes: Uint8Array): void {
    // A frame unheard is a frame lost, which the protocol bears; an unbounded queue is what it does not.
    if (this.#halted || this.#outbox.waitingCount > outboxWaitingMax) return;
    const frame = decodeFrame(bytes);
    if (!frame.ok) {
      this.#noteBadFrame(from, frame.failure);
      return;
    }
    const { messages, passedOver } = frame.value;
    if (passedOver > 0) this.#notePassedOver(from, passedOver);
    for (const message of messages) this.#inputs.push({ type: 'received', from, message });
    this.#run();
  }

  #notePassedOver(from: NodeId, messages: number): void {
    const before = this.#passedOver.get(from) ?? 0;
    const count = before + messages;
    this.#passedOver.set(from, count);
    if (before === 0 || Math.floor(before / badFramesPerLine) < Math.floor(count / badFramesPerLine))
      this.#options.logger.warn('messages of a newer version of Skein are passed over', { from, count });
  }

  #noteBadFrame(from: NodeId, failure: Failure): void {
    const count = this.#badFrames.get(from) ?? 0;
    this.#badFrames.set(from, count + 1);
    if (count % badFramesPerLine === 0)
      this.#options.logger.warn('a frame could not be read', { from, count: count + 1, ...failure });
  }

  #send(to: NodeId, messages: readonly NodeMessage[]): void {
    if (this.#halted) return;
    for (const frame of encodeFrames(messages)) {
      if (frame.length <= frameBytesMax) this.#options.transport.send(to, frame);
      else
        this.#options.logger.error('a frame is too large to send', {
          to,
          bytes: frame.length,
          first: messages[0]?.type,
        });
    }
  }

  #setTimer(timer: NodeTimer, afterMs: number): void {
    this.#cancelTimer(timer);
    const cancel = this.#options.clock.setTimer(afterMs, () => {
      this.#timers.delete(timer);
      this.input({ type: 'timer', timer });
    });
    this.#timers.set(timer, cancel);
  }

  #cancelTimer(timer: NodeTimer): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }

  /** Looks at the clocks even when nothing happens, so that a silence of our own is told from one of others. */
  #tick(): void {
    this.#cancelTick = this.#options.clock.setTimer(clockTickMs, () => {
      if (this.#halted) return;
      this.#run();
      this.#tick();
    });
  }

  #failBecause(cause: unknown): void {
    const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    this.#options.logger.error('the node caught itself in a mistake', {
      message,
      stack: cause instanceof Error ? cause.stack : undefined,
    });
    this.#fail({
      code: 'internal',
      message,
      hint: 'Restart the node; it continues from its disk. Please report this message.',
    });
  }

  #fail(failure: Failure): void {
    if (this.#halted) return;
    this.stop();
    this.#options.onFailed(failure);
  }
}

export const createDriver = (options: DriverOptions): Driver => new Driver(options);
