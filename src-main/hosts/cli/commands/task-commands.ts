import type { Command } from 'commander';
import type { Job, JobDetail } from '../../../../shared/contract/tasks.ts';
import { noteProvenance, type CliContext } from '../cli-context.ts';
import { parseDuration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { outcomeExitCode, selectsOneTask } from '../job-outcome.ts';
import { documentOf, provenanceFields } from '../json-output.ts';
import { missingWords, readLog } from '../log-reader.ts';
import type { Run } from '../command-action.ts';
import { stateWords } from '../style.ts';
import { addEachFlags, addTaskFlags, submissionOf, wholeNumber, type SubmissionFlags } from '../submission-flags.ts';
import { tableLines } from '../table.ts';
import { noteOutcome, waitForJob } from '../waiting.ts';
import { agoWords, bytesWords, commandWords, countWords, spanWords } from '../words.ts';

/** Submitting work, looking at it and steering it. */
export function addTaskCommands(program: Command, run: Run): void {
  addEachFlags(addTaskFlags(program.command('submit').description('submit a job and print its id')))
    .option('--wait', 'wait for its end; 10 to 12 say how it ended')
    .usage('[options] -- COMMAND…')
    .action(run((context, flags: SubmissionFlags & { wait?: boolean }) => submit(context, flags)));
  program.command('ps').alias('ls').description('list jobs').action(run(listJobs));
  program
    .command('show')
    .argument('<id>', 'job or task: 81, 81.3, last')
    .description('a job with its tasks and attempts')
    .option('--offset <n>', 'first task to show')
    .option('--limit <n>', 'how many tasks to show')
    .action(run((context, flags: { offset?: string; limit?: string }, id: string) => show(context, flags, id)));
  program
    .command('logs')
    .argument('<id>', 'job or task: 81, 81.3, last')
    .description('the output of a task')
    .option('-f, --follow', 'go on until it has ended')
    .option('--stderr', 'its standard error instead of its standard output')
    .option('--attempt <n>', 'an earlier attempt')
    .action(run((context, flags: LogFlags, id: string) => logs(context, flags, id)));
  program
    .command('cancel')
    .argument('<id>', 'job or task')
    .description('stop a job or a task')
    .option('--reason <text>', 'why, for others to read')
    .action(run((context, flags: { reason?: string }, id: string) => cancel(context, flags, id)));
  program
    .command('retry')
    .argument('<id>', 'job or task')
    .description('run failed tasks again')
    .action(run((context, _flags, id: string) => retry(context, id)));
  program
    .command('explain')
    .argument('<id>', 'job or task')
    .description('why it waits, or why it ran where it ran')
    .action(run((context, _flags, id: string) => explain(context, id)));
  program
    .command('wait')
    .argument('<id>', 'job or task')
    .description('wait for its end; 10 to 12 say how it ended')
    .option('--timeout <duration>', 'give up after this long (exit code 8)')
    .action(run((context, flags: { timeout?: string }, id: string) => wait(context, flags.timeout, id)));
}

async function submit(context: CliContext, flags: SubmissionFlags & { wait?: boolean }): Promise<number> {
  const submission = await submissionOf(context, flags);
  const { client } = await context.node();
  const { job, taskCount, inputBytes } = await client.tasks.submit(submission);
  if (flags.wait === true) {
    context.note(`Job ${job}: ${countWords(taskCount, 'task')}, ${bytesWords(inputBytes)} of input.`);
    const detail = await waitForJob(context, String(job), null);
    noteOutcome(context, detail);
    if (!context.outJson('Job', detail.job)) context.out(String(job));
    return outcomeExitCode(detail, false);
  }
  if (context.outJson('Submission', { id: job, taskCount, inputBytes })) return exitCodes.done;
  context.out(String(job));
  context.note(
    `${countWords(taskCount, 'task')}, ${bytesWords(inputBytes)} of input. Next: skein wait ${job}, skein show ${job}`,
  );
  return exitCodes.done;
}

async function listJobs(context: CliContext): Promise<number> {
  const { client } = await context.node();
  const frame = await client.tasks.list();
  const { jobs } = frame.view;
  context.list('TaskList', frame, jobs, {
    headers: ['ID', 'STATE', 'DONE', 'NAME', 'FROM', 'AGE', 'REASON'],
    rows: jobs.map((job) => jobRow(context, job)),
    names: jobs.map((job) => String(job.id)),
    empty: 'No jobs yet. Submit one: skein run -- echo hello',
  });
  return exitCodes.done;
}

const jobRow = (context: CliContext, job: Job): string[] => [
  String(job.id),
  stateWords(job.state, context.paint),
  `${job.counts.succeeded}/${job.taskCount}${job.counts.failed > 0 ? ` (${job.counts.failed} failed)` : ''}`,
  job.name === '' ? job.command : job.name,
  job.submitter.name,
  spanWords(context.world.wall() - job.submittedAt),
  job.reason,
];

async function show(
  context: CliContext,
  flags: { offset?: string; limit?: string },
  selector: string,
): Promise<number> {
  const { client } = await context.node();
  const offset = wholeNumber('--offset', flags.offset, 0, 1_000_000_000) ?? 0;
  const limit = wholeNumber('--limit', flags.limit, 1, 1_000) ?? 100;
  const frame = await client.tasks.show({ selector, offset, limit });
  if (context.outJson('Task', { ...provenanceFields(frame, context.world.wall()), ...frame.view }))
    return exitCodes.done;
  if (context.format === 'name') {
    context.out(String(frame.view.job.id));
    return exitCodes.done;
  }
  noteProvenance(context, frame);
  printDetail(context, frame.view);
  const { tasks, tasksTotal } = frame.view;
  if (tasks.length < tasksTotal && !selectsOneTask(selector)) {
    context.note(
      `Tasks ${offset} to ${offset + tasks.length - 1} of ${tasksTotal}. Others: skein show ${selector} --offset ${offset + tasks.length}`,
    );
  }
  return exitCodes.done;
}

function printDetail(context: CliContext, detail: JobDetail): void {
  const { job } = detail;
  const now = context.world.wall();
  const facts: [string, string][] = [
    ['job', `${job.id} ${job.name}`.trim()],
    ['state', `${stateWords(job.state, context.paint)}${job.reason === '' ? '' : ` · ${job.reason}`}`],
    ['command', commandWords(detail.argv)],
    ['submitted', `by ${job.submitter.name}, ${agoWords(job.submittedAt, now)}`],
    [
      'tasks',
      `${job.counts.succeeded} of ${job.taskCount} succeeded, ${job.counts.active} active, ${job.counts.waiting} waiting, ${job.counts.failed} failed`,
    ],
    [
      'again',
      `${countWords(job.extraAttempts, 'further attempt')}, ${countWords(job.refusedResults, 'late result')} refused`,
    ],
    [
      'placement',
      `${job.policy}${job.priority === undefined ? '' : `, ${job.priority} priority`}${job.lock === null ? '' : `, holds the lock ${job.lock}`}, retries ${detail.retries}`,
    ],
  ];
  if (job.delivery !== null) {
    const { delivered, pending, folder, error } = job.delivery;
    facts.push([
      'outputs',
      `${delivered} delivered, ${pending} pending, into ${folder}${error === '' ? '' : ` · ${error}`}`,
    ]);
  }
  const plainTable = { paint: context.paint, headers: false, columns: null };
  for (const line of tableLines(['', ''], facts, plainTable)) context.out(line);
  context.out('');
  const rows = detail.tasks.flatMap((task) => {
    const id = `${task.job}.${task.index}`;
    if (task.attempts.length === 0)
      return [[id, stateWords(task.state, context.paint), '—', '—', task.label ?? '—', task.reason]];
    return task.attempts.map((attempt, at) => [
      at === 0 ? id : '',
      stateWords(at === task.attempts.length - 1 ? task.state : attempt.state, context.paint),
      attempt.node.name,
      String(attempt.number),
      at === 0 ? (task.label ?? '—') : '',
      attempt.outcome === '' ? task.reason : attempt.outcome,
    ]);
  });
  for (const line of tableLines(['TASK', 'STATE', 'MACHINE', 'ATTEMPT', 'ABOUT', 'REASON'], rows, {
    ...plainTable,
    headers: true,
  }))
    context.out(line);
}

interface LogFlags {
  readonly follow?: boolean;
  readonly stderr?: boolean;
  readonly attempt?: string;
}

async function logs(context: CliContext, flags: LogFlags, selector: string): Promise<number> {
  const { client } = await context.node();
  const stream = flags.stderr === true ? 'stderr' : 'stdout';
  const attempt = wholeNumber('--attempt', flags.attempt, 1, 1_000_000);
  const { signal } = new AbortController();
  for await (const chunk of readLog(client, { selector, attempt, stream, follow: flags.follow === true, signal })) {
    if (context.format === 'json') context.out(documentOf('LogChunk', { stream, ...chunk }));
    else context.world.stdout.write(chunk.text);
    const missing = missingWords(chunk, stream);
    if (missing !== '') context.note(missing);
  }
  return exitCodes.done;
}

async function cancel(context: CliContext, flags: { reason?: string }, selector: string): Promise<number> {
  const { client } = await context.node();
  const { cancelled } = await client.tasks.cancel({ selector, reason: flags.reason ?? '' });
  if (!context.outJson('Cancelled', { selector, cancelled }))
    context.note(`Cancelled ${countWords(cancelled, 'task')} of ${selector}.`);
  return exitCodes.done;
}

async function retry(context: CliContext, selector: string): Promise<number> {
  const { client } = await context.node();
  const { retried } = await client.tasks.retry({ selector });
  if (!context.outJson('Retried', { selector, retried }))
    context.note(`Running ${countWords(retried, 'task')} of ${selector} again. Next: skein wait ${selector}`);
  return exitCodes.done;
}

async function explain(context: CliContext, selector: string): Promise<number> {
  const { client } = await context.node();
  const explanation = await client.tasks.explain({ selector });
  if (context.outJson('Explanation', { selector, ...explanation })) return exitCodes.done;
  context.out(explanation.sentence);
  const rows = explanation.machines.map(({ node, verdict, eligible }) => [
    context.paint(eligible ? 'good' : 'quiet', `${eligible ? '✓' : '✗'} ${node.name}`),
    verdict,
  ]);
  for (const line of tableLines(['MACHINE', 'VERDICT'], rows, {
    paint: context.paint,
    headers: rows.length > 0,
    columns: null,
  }))
    context.out(line);
  for (const line of explanation.history) context.out(`· ${line}`);
  return exitCodes.done;
}

async function wait(context: CliContext, timeout: string | undefined, selector: string): Promise<number> {
  const timeoutMs = timeout === undefined ? null : parseDuration(timeout, '--timeout');
  const detail = await waitForJob(context, selector, timeoutMs);
  if (!context.outJson('Job', detail.job)) noteOutcome(context, detail);
  return outcomeExitCode(detail, selectsOneTask(selector));
}
