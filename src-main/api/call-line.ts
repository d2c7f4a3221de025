import { answerKinds, type AnswerFrame } from '../../shared/contract/call-frames.ts';
import { failureSchema } from '../../shared/contract/base.ts';
import { FailureError, type Failure } from '../../shared/domain/failure.ts';
import type { Callable } from './call-table.ts';
import { toAnswer, type DefectLog } from './failure-answers.ts';

/** Calls that one line may have open: a caller with more to ask opens another. */
export const openCallsPerLineMax = 1_024;

export interface CallLineOptions {
  readonly table: ReadonlyMap<string, Callable>;
  readonly log: DefectLog;
  /** Sends one message; resolves when it has left this process, or the line is gone. */
  readonly send: (message: string) => Promise<void>;
}

/**
 * The node's end of a lean line (see `shared/contract/call-frames.ts`). Answers of one turn leave in one message; a
 * subscription waits for each of its frames to leave, so a slow reader piles up nothing here.
 */
export class CallLineServer {
  readonly #options: CallLineOptions;
  readonly #open = new Map<number, AbortController>();
  #leaving: AnswerFrame[] = [];
  #sent: Promise<void> = Promise.resolve();

  constructor(options: CallLineOptions) {
    this.#options = options;
  }

  /** Takes one message of the caller. False when it is no message of this protocol: the line must be closed. */
  receive(message: string): boolean {
    const frames = parse(message);
    if (frames === null) return false;
    for (const frame of frames) {
      if (!Array.isArray(frame) || !Number.isSafeInteger(frame[0])) return false;
      const [id, procedure, input] = frame as [number, unknown, unknown];
      if (frame.length === 1) this.#open.get(id)?.abort();
      else if (typeof procedure !== 'string' || this.#open.has(id)) return false;
      else this.#begin(id, procedure, input);
    }
    return true;
  }

  /** The caller is gone: everything it has open ends. */
  close(): void {
    for (const open of this.#open.values()) open.abort();
  }

  #begin(id: number, procedure: string, input: unknown): void {
    const callable = this.#options.table.get(procedure);
    if (callable === undefined) return this.#answer([id, answerKinds.failure, noSuch(procedure)]);
    if (this.#open.size >= openCallsPerLineMax) return this.#answer([id, answerKinds.failure, tooMany]);
    const checked = callable.check(input);
    if (!checked.ok) return this.#answer([id, answerKinds.failure, checked.failure]);
    const open = new AbortController();
    this.#open.set(id, open);
    void this.#run(id, procedure, callable, checked.value, open.signal);
  }

  async #run(id: number, procedure: string, callable: Callable, input: unknown, signal: AbortSignal): Promise<void> {
    let last: AnswerFrame;
    try {
      const called = callable.call(input, { signal });
      if (Symbol.asyncIterator in called) {
        // The source itself ends when the caller withdraws: the last word then says that what it held is given back.
        for await (const frame of called) {
          this.#answer([id, answerKinds.frame, frame]);
          await this.#sent;
        }
        last = [id, answerKinds.end];
      } else last = [id, answerKinds.result, await called];
    } catch (error) {
      last = [id, answerKinds.failure, this.#failureOf(error, procedure, signal)];
    }
    this.#open.delete(id);
    this.#answer(last);
  }

  #failureOf(error: unknown, procedure: string, signal: AbortSignal): Failure {
    if (error instanceof FailureError) return error.failure;
    const answer = toAnswer(error, procedure, signal, this.#options.log);
    const failure = failureSchema.safeParse('data' in answer ? answer.data : undefined);
    if (!failure.success) return { code: 'internal', message: answer.message };
    const { code, message, hint } = failure.data;
    return hint === undefined ? { code, message } : { code, message, hint };
  }

  #answer(frame: AnswerFrame): void {
    if (this.#leaving.length === 0) this.#sent = this.#flushSoon();
    this.#leaving.push(frame);
  }

  /** After what is already due in this turn: answers to calls that were chosen together come together. */
  async #flushSoon(): Promise<void> {
    await Promise.resolve();
    const frames = this.#leaving;
    this.#leaving = [];
    await this.#options.send(JSON.stringify(frames));
  }
}

function parse(message: string): readonly unknown[] | null {
  try {
    const frames: unknown = JSON.parse(message);
    return Array.isArray(frames) ? frames : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const noSuch = (procedure: string): Failure => ({
  code: 'not-found',
  message: `there is no procedure ${procedure.slice(0, 100)}`,
  hint: 'The node and its caller may be of different releases.',
});

const tooMany: Failure = {
  code: 'limit-reached',
  message: `this line already has ${openCallsPerLineMax} calls open`,
  hint: 'End some of them first, or open another line.',
};
