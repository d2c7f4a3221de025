import type { JobDetail } from '../../../shared/contract/tasks.ts';
import { FailureError } from '../../../shared/domain/failure.ts';
import type { CliContext } from './cli-context.ts';
import { isDelivering, isOver, selectsOneTask } from './job-outcome.ts';
import { countWords, spanWords } from './words.ts';

/** Waits until a job or task is over and its outputs are back. Throws `timed-out` after `timeoutMs`. */
export async function waitForJob(context: CliContext, selector: string, timeoutMs: number | null): Promise<JobDetail> {
  const leaving = new AbortController();
  const timer = timeoutMs === null ? null : setTimeout(() => leaving.abort(), timeoutMs);
  const oneTask = selectsOneTask(selector);
  const { client } = await context.node();
  let latest: JobDetail | null = null;
  try {
    for await (const frame of await client.tasks.watchOne({ selector }, { signal: leaving.signal })) {
      latest = frame.view;
      showProgress(context, latest);
      if (isOver(latest, oneTask) && !isDelivering(latest)) return latest;
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
  } finally {
    if (timer !== null) clearTimeout(timer);
    clearProgress(context);
    leaving.abort();
  }
  if (timeoutMs !== null && leaving.signal.aborted) {
    throw new FailureError({
      code: 'timed-out',
      message: `job ${selector} was not over after ${spanWords(timeoutMs)}`,
      hint: `It goes on. See it with: skein show ${selector}; wait again with: skein wait ${selector}`,
    });
  }
  throw new FailureError({
    code: 'not-running',
    message: 'the node stopped while it was waited for',
    hint: 'Start it again: skein daemon start',
  });
}

/** One line that is written over; only where somebody watches. */
function showProgress(context: CliContext, { job }: JobDetail): void {
  if (context.world.stderr.isTTY !== true) return;
  const { counts } = job;
  const over = counts.succeeded + counts.failed + counts.cancelled;
  const failed = counts.failed === 0 ? '' : `, ${counts.failed} failed`;
  context.world.stderr.write(`\r\u001B[K${over} of ${job.taskCount} done, ${counts.active} running${failed}`);
}

function clearProgress(context: CliContext): void {
  if (context.world.stderr.isTTY === true) context.world.stderr.write('\r\u001B[K');
}

/** The last line about a job: how it ended, how long it took, where its files are and what to do next. */
export function noteOutcome(context: CliContext, { job }: JobDetail): void {
  const took = job.endedAt === null ? '' : ` in ${spanWords(job.endedAt - job.submittedAt)}`;
  const where = job.where.length === 0 ? '' : ` on ${job.where.map((node) => node.name).join(', ')}`;
  const { counts, delivery } = job;
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : '';
  const cancelled = counts.cancelled > 0 ? `, ${counts.cancelled} cancelled` : '';
  context.note(
    `Job ${job.id}: ${counts.succeeded} of ${countWords(job.taskCount, 'task')} succeeded${failed}${cancelled}${took}${where}.`,
  );
  if (delivery !== null && delivery.delivered > 0) context.note(`Outputs are in ${delivery.folder}.`);
  if (delivery !== null && delivery.error !== '') context.note(`Outputs are not all there: ${delivery.error}`);
  if (counts.failed > 0) context.note(`See why: skein show ${job.id}; run them again: skein retry ${job.id}`);
}
