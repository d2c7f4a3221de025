import type { AttemptView, Job as JobView, JobDetail, Task as TaskView } from '../../shared/contract/tasks.ts';
import type { Attempt, AttemptOutcome, JobManifest, TaskState } from '../../shared/domain/task.ts';
import { liveCount, type Job, type Task } from '../core/tasks/job.ts';
import { whyNot, type Worker } from '../core/tasks/placement.ts';
import { nodeRef } from './names.ts';
import { labelOf } from './placeholders.ts';
import type { RunningPeer } from './running-peer.ts';
import { jobWords, outcomeWords, taskWords } from './task-words.ts';

export interface TaskPage {
  readonly offset: number;
  readonly limit: number;
  readonly state: TaskState | null;
  /** Only this task. */
  readonly index: number | null;
}

export const jobsView = (peer: RunningPeer): { jobs: JobView[] } => ({
  jobs: peer.replica
    .state()
    .tasks.jobs()
    .map((job) => jobView(peer, job)),
});

export function jobView(peer: RunningPeer, job: Job): JobView {
  const { counts } = job;
  return {
    id: job.id,
    name: job.spec.name,
    command: job.spec.argv.map(quoted).join(' '),
    state: job.state,
    taskCount: job.taskCount,
    counts: {
      waiting: counts.waiting + counts.unknown + counts.lost + counts.rejected,
      active: liveCount(counts),
      succeeded: counts.succeeded,
      failed: counts.failed + counts['timed-out'],
      cancelled: counts.cancelled,
    },
    extraAttempts: job.extraAttempts,
    refusedResults: job.refusedResults,
    submitter: nodeRef(peer.membership, job.submitter),
    submittedAt: job.submittedAt,
    endedAt: job.endedAt,
    policy: job.spec.policy,
    priority: job.spec.priority,
    lock: job.spec.lock,
    where: [...job.where].map((node) => nodeRef(peer.membership, node)),
    reason: reasonOf(peer, job),
    delivery: peer.delivery.standingOf(job.id),
  };
}

/** A job of one task says what its task says. */
function reasonOf(peer: RunningPeer, job: Job): string {
  const only = job.taskCount === 1 && job.counts.waiting === 0 ? peer.replica.state().tasks.task(job.id, 0) : null;
  const words = only === null ? '' : taskWords(only, (node) => nodeRef(peer.membership, node).name);
  return words === '' ? jobWords(job, whyWaiting(peer, job)) : words;
}

/** `manifest` null: this machine does not hold it, so tasks have no labels. */
export function jobDetail(peer: RunningPeer, job: Job, page: TaskPage, manifest: JobManifest | null): JobDetail {
  const { tasks } = peer.replica.state();
  const one = page.index === null ? null : tasks.task(job.id, page.index);
  const found =
    page.index === null
      ? tasks.tasksPage(job.id, page.offset, page.limit, page.state)
      : { tasks: one === null ? [] : [one], total: one === null ? 0 : 1 };
  return {
    job: jobView(peer, job),
    argv: [...job.spec.argv],
    env: { ...job.spec.env },
    outputs: [...job.spec.outputs],
    retries: job.spec.retries,
    timeoutMs: job.spec.timeoutMs,
    slots: job.spec.slots,
    manifest: job.manifest,
    tasks: found.tasks.map((task) => taskView(peer, job, task, manifest)),
    tasksTotal: found.total,
  };
}

export const workersOf = (peer: RunningPeer): readonly Worker[] =>
  peer.replica
    .state()
    .sessions.list()
    .map(({ id, node, name, capacity }) => ({
      session: id,
      node,
      name,
      slots: capacity.slots,
      accepts: capacity.accepts,
    }));

/** Why the waiting tasks of a job have no machine yet, in one sentence; empty when none waits. */
export function whyWaiting(peer: RunningPeer, job: Job): string {
  if (job.counts.waiting === 0) return '';
  const state = peer.replica.state();
  if (peer.replica.status().coordinator === null)
    return 'no coordinator is heard: nothing new is assigned until a majority of voters is back';
  const { lock } = job.spec;
  const holder = lock === null ? null : (state.locks.get(lock)?.holders[0] ?? null);
  if (lock !== null && holder !== null && !holder.owner.startsWith(`attempt:${job.id}.`)) {
    return `the lock ${lock} is held by ${nodeRef(peer.membership, holder.node).name} (${holder.label})`;
  }
  if (lock !== null && holder === null && (state.locks.get(lock)?.delays.length ?? 0) > 0) {
    return `the lock ${lock} was lost by its holder and is not given to anyone for a while`;
  }
  if (lock !== null && state.tasks.attemptsUnder(lock) > 0) return `the lock ${lock} lets one task run at a time`;
  const workers = workersOf(peer);
  const able = workers.filter((worker) => whyNot(job, worker) === null);
  const first = workers.find((worker) => whyNot(job, worker) !== null);
  if (able.length === 0) {
    if (first === undefined) return 'no machine is here to run it';
    return `no machine may run it: on ${first.name}, ${whyNot(job, first) ?? ''}`;
  }
  const full = able.every((worker) => worker.slots - state.tasks.slotsUsed(worker.node) < job.spec.slots);
  return full
    ? `all slots of the ${able.length === 1 ? 'machine' : `${able.length} machines`} that may run it are taken`
    : '';
}

function taskView(peer: RunningPeer, job: Job, task: Task, manifest: JobManifest | null): TaskView {
  const item = manifest?.items[task.index];
  const name = (node: Attempt['node']): string => nodeRef(peer.membership, node).name;
  return {
    job: task.job,
    index: task.index,
    state: task.state,
    label: item === undefined ? null : labelOf(item),
    reason:
      task.state === 'waiting' && task.reason === ''
        ? whyWaiting(peer, job) || 'about to be assigned'
        : taskWords(task, name),
    attempts: task.attempts.map((attempt) => attemptView(peer, attempt)),
  };
}

function attemptView(peer: RunningPeer, attempt: Attempt): AttemptView {
  return {
    number: attempt.number,
    node: nodeRef(peer.membership, attempt.node),
    token: attempt.token,
    state: attempt.state,
    assignedAt: attempt.assignedAt,
    startedAt: attempt.startedAt,
    endedAt: attempt.endedAt,
    outcome: outcomeWords(attempt.outcome),
    exitCode: exitCodeOf(attempt.outcome),
    signal: attempt.outcome?.type === 'signalled' ? attempt.outcome.signal : null,
    reason: attempt.reason,
  };
}

const exitCodeOf = (outcome: AttemptOutcome | null): number | null =>
  outcome?.type === 'exited' || outcome?.type === 'broken' ? (outcome.exitCode ?? null) : null;

/** For people to read and paste: quoted where a POSIX shell would need it. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./{}-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
