import { ORPCError, type ClientContext, type ClientLink } from '@orpc/client';
import { assert } from '../../shared/assert.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import { answerKinds, type AnswerFrame, type CallFrame } from '../../shared/contract/call-frames.ts';

/** An open line of text messages, whatever carries it. */
export interface CallLine {
  send(message: string): void;
  onMessage(handler: (message: string) => void): void;
  onClose(handler: () => void): void;
}

interface OpenCall {
  answer(kind: AnswerFrame[1], value: unknown): void;
  broken(error: Error): void;
}

/**
 * The client's end of a lean line, for `createSkeinClient`. Calls of one turn leave in one message. A failure is thrown
 * as on every other link; when the line closes, calls under way fail with a plain error: their outcome is not known.
 */
export class CallLink implements ClientLink<ClientContext> {
  readonly #line: CallLine;
  readonly #open = new Map<number, OpenCall>();
  #lastId = 0;
  #leaving: CallFrame[] = [];
  #closed = false;

  constructor(line: CallLine) {
    this.#line = line;
    line.onMessage((message) => this.#onMessage(message));
    line.onClose(() => {
      this.#closed = true;
      for (const call of this.#open.values()) call.broken(new Error('the line to the node closed'));
      this.#open.clear();
    });
  }

  call(path: readonly string[], input: unknown, { signal }: { readonly signal?: AbortSignal | undefined }) {
    if (this.#closed) return Promise.reject(new Error('the line to the node is closed'));
    if (signal?.aborted === true) return Promise.reject(abortOf(signal));
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      let frames: FrameQueue | null = null;
      const withdraw = (): void => {
        this.#push([id]);
        if (frames === null && signal !== undefined) reject(abortOf(signal));
      };
      const settled = (): void => {
        this.#open.delete(id);
        signal?.removeEventListener('abort', withdraw);
      };
      const beginFrames = (): FrameQueue => {
        frames ??= new FrameQueue(() => this.#open.has(id) && this.#push([id]));
        resolve(frames);
        return frames;
      };
      signal?.addEventListener('abort', withdraw, { once: true });
      this.#open.set(id, {
        answer: (kind, value) => {
          if (kind === answerKinds.frame) {
            beginFrames().push(value);
            return;
          }
          settled();
          if (kind === answerKinds.result) resolve(value);
          else if (kind === answerKinds.end) beginFrames().end(null);
          else if (frames === null) reject(errorOf(value as Failure));
          else frames.end(errorOf(value as Failure));
        },
        broken: (error) => {
          settled();
          if (frames === null) reject(error);
          else frames.end(error);
        },
      });
      this.#push(input === undefined ? [id, path.join('.')] : [id, path.join('.'), input]);
    });
  }

  #push(frame: CallFrame): void {
    if (this.#closed) return;
    if (this.#leaving.length === 0) queueMicrotask(() => this.#flush());
    this.#leaving.push(frame);
  }

  #flush(): void {
    const frames = this.#leaving;
    this.#leaving = [];
    if (!this.#closed) this.#line.send(JSON.stringify(frames));
  }

  #onMessage(message: string): void {
    const answers = JSON.parse(message) as readonly AnswerFrame[];
    for (const [id, kind, value] of answers) this.#open.get(id)?.answer(kind, value);
  }
}

const errorOf = (failure: Failure): Error =>
  new ORPCError('FAILURE', { defined: true, message: failure.message, data: failure });

const abortOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('the call was given up');

/** Frames of a subscription on their way to a reader. Ending it early withdraws the call and waits for the last word on it. */
class FrameQueue implements AsyncGenerator<unknown, undefined, undefined> {
  readonly #withdraw: () => void;
  readonly #waiting: unknown[] = [];
  #ended: { readonly error: Error | null } | null = null;
  #wake: PromiseWithResolvers<void> | null = null;

  constructor(withdraw: () => void) {
    this.#withdraw = withdraw;
  }

  push(frame: unknown): void {
    assert(this.#ended === null, 'a frame after the end of its subscription');
    this.#waiting.push(frame);
    this.#wake?.resolve();
  }

  end(error: Error | null): void {
    this.#ended ??= { error };
    this.#wake?.resolve();
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    while (this.#waiting.length === 0 && this.#ended === null) await this.#change();
    if (this.#waiting.length > 0) return { done: false, value: this.#waiting.shift() };
    if (this.#ended !== null && this.#ended.error !== null) {
      const { error } = this.#ended;
      this.#ended = { error: null };
      throw error;
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#withdraw();
    while (this.#ended === null) await this.#change();
    this.#waiting.length = 0;
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<unknown, undefined>> {
    await this.return();
    throw error;
  }

  #change(): Promise<void> {
    this.#wake = Promise.withResolvers<void>();
    return this.#wake.promise;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
