import { constants } from 'node:os';
import type { AttemptView, JobDetail, Submission } from '../../../shared/contract/tasks.ts';
import type { CliContext } from './cli-context.ts';
import { exitCodes } from './exit-codes.ts';
import { isDelivering, isOver } from './job-outcome.ts';
import { missingWords, readLog } from './log-reader.ts';

/** Output that has not come in this long after the end of its task is given up. */
const drainWithinMs = 30_000;

/**
 * Submits one task and stays with it: its output goes to our streams as it comes, attempt after attempt. The first Ctrl+C
 * cancels it, the second leaves it alone. Answers with its exit code.
 */
export async function runAttached(context: CliContext, submission: Submission): Promise<number> {
  const { client } = await context.node();
  const { job } = await client.tasks.submit(submission);
  const id = String(job);
  const leaving = new AbortController();
  let interrupts = 0;
  const unhook = context.world.onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) {
      leaving.abort();
      return;
    }
    context.note(`Cancelling job ${id}. Press Ctrl+C again to leave it alone.`);
    client.tasks.cancel({ selector: id, reason: 'Ctrl+C' }).catch((error: unknown) => {
      context.note(`Job ${id} could not be cancelled: ${context.failureOf(error).message}`);
    });
  });
  const printer = new AttemptPrinter(context, id, leaving.signal);
  try {
    for await (const frame of await client.tasks.watchOne({ selector: id }, { signal: leaving.signal })) {
      const detail = frame.view;
      printer.follow(detail.tasks[0]?.attempts ?? []);
      if (!isOver(detail, false) || isDelivering(detail)) continue;
      await printer.drain();
      return finish(context, detail, interrupts > 0);
    }
    context.note(`The node stopped. Job ${id} may still run: skein wait ${id}`);
    return exitCodes.runBroken;
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    context.note(`Left job ${id} alone. See it again: skein logs ${id} --follow`);
    return exitCodes.interrupted;
  } finally {
    unhook();
    leaving.abort();
  }
}

/** Prints the output of each attempt whole, one attempt after the other, both streams at once. */
class AttemptPrinter {
  readonly #context: CliContext;
  readonly #selector: string;
  readonly #signal: AbortSignal;
  #printed = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(context: CliContext, selector: string, signal: AbortSignal) {
    this.#context = context;
    this.#selector = selector;
    this.#signal = signal;
  }

  /** Starts with every attempt that has begun since the last call. */
  follow(attempts: readonly AttemptView[]): void {
    for (const attempt of attempts) {
      // A short attempt can be over before anybody heard that it began.
      if (attempt.number <= this.#printed || (attempt.startedAt === null && attempt.endedAt === null)) continue;
      this.#printed = attempt.number;
      if (attempt.number > 1 && attempt.startedAt !== null)
        this.#queue = this.#queue.then(() => this.#context.note(`Attempt ${attempt.number}, on ${attempt.node.name}.`));
      this.#queue = this.#queue.then(() => this.#print(attempt));
    }
  }

  /** Waits until all is printed, but not for ever: a machine may be gone with its output. */
  async drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), drainWithinMs);
    });
    const outcome = await Promise.race([this.#queue, enough]);
    clearTimeout(timer);
    if (outcome === 'late')
      this.#context.note(`The rest of the output has not come. Try again: skein logs ${this.#selector}`);
  }

  async #print(attempt: AttemptView): Promise<void> {
    await Promise.all([this.#printStream(attempt, 'stdout'), this.#printStream(attempt, 'stderr')]);
  }

  async #printStream(attempt: AttemptView, stream: 'stdout' | 'stderr'): Promise<void> {
    const { client } = await this.#context.node();
    const request = { selector: this.#selector, attempt: attempt.number, stream, follow: true, signal: this.#signal };
    try {
      for await (const chunk of readLog(client, request)) {
        this.#context.world[stream].write(chunk.text);
        const missing = missingWords(chunk, stream);
        if (missing !== '') this.#context.note(missing);
      }
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#context.note(
        `The ${stream} of attempt ${attempt.number} cannot be read: ${this.#context.failureOf(error).message}`,
      );
    }
  }
}

function finish(context: CliContext, detail: JobDetail, cancelledHere: boolean): number {
  const { job, tasks } = detail;
  const attempt = tasks[0]?.attempts.at(-1);
  if (job.delivery !== null && job.delivery.error !== '') {
    context.note(`skein: outputs of job ${job.id} are not all in ${job.delivery.folder}: ${job.delivery.error}`);
    return exitCodes.runBroken;
  }
  if (job.state === 'succeeded') return exitCodes.done;
  if (job.state === 'cancelled')
    return cancelledHere ? exitCodes.interrupted : note(context, job.id, 'was cancelled', exitCodes.taskCancelled);
  if (job.state === 'timed-out') return note(context, job.id, 'took longer than its --timeout', exitCodes.taskFailed);
  if (job.state === 'lost') return note(context, job.id, 'was lost', exitCodes.taskLost);
  const outcome = attempt?.outcome ?? job.reason;
  if (attempt !== undefined && attempt.exitCode !== null) {
    if (attempt.exitCode >= exitCodes.runBroken) note(context, job.id, `failed: ${outcome}`, attempt.exitCode);
    return attempt.exitCode;
  }
  const code = signalCode(attempt?.signal ?? null);
  return note(context, job.id, `failed: ${outcome === '' ? job.reason : outcome}`, code);
}

/** What a shell answers for a program that a signal ended; none, or one this system does not know, gives 125. */
function signalCode(signal: string | null): number {
  const signals: Readonly<Record<string, number>> = constants.signals;
  const number = signal === null ? undefined : signals[signal];
  return number === undefined ? exitCodes.runBroken : 128 + number;
}

function note(context: CliContext, job: number, what: string, code: number): number {
  context.note(`skein: job ${job} ${what}`);
  context.note(`  See more: skein show ${job}`);
  return code;
}
