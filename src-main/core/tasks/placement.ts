import type { LockName, NodeId } from '../../../shared/domain/ids.ts';
import type { Assignment } from './commands.ts';
import { waitingTasks } from './job-record.ts';
import type { Job, MutableJob, Task } from './job.ts';
import { liveCount } from './job.ts';
import { MinHeap } from './min-heap.ts';
import { freeSlots, InTurn, LeastBusyFirst, seatsOf } from './seats.ts';
import type { Chooser, Seat, Worker } from './seats.ts';
import type { TaskTable } from './task-table.ts';

export type { Worker } from './seats.ts';

export interface PlacementView {
  readonly tasks: TaskTable;
  readonly workers: readonly Worker[];
  isLockFree(name: LockName): boolean;
  /** How busy a machine says it is, 0 to 1; null when nothing was heard. */
  loadOf(node: NodeId): number | null;
  /** Where the round of `round-robin` jobs goes on: what the last call answered as `roundRobinNext`; 0 at first. */
  readonly roundRobinFrom: number;
}

export interface Placement {
  readonly assignments: readonly Assignment[];
  readonly roundRobinNext: number;
}

/** Waiting tasks of one job looked at per call that only wait for another machine than the free ones. */
const skippedTasksMax = 256;

/** A job while one call places its tasks. Its plan is made when its turn comes: most jobs get none in a full swarm. */
interface Queue {
  readonly job: MutableJob;
  plan: Plan | null;
  live: number;
}

interface Plan {
  /** Machines that may run the job, free or not. */
  readonly mayRun: ReadonlySet<NodeId>;
  readonly chooser: Chooser;
  readonly tasks: Iterator<Task>;
  skipped: number;
}

/**
 * Chooses machines for waiting tasks, `limit` at most. Jobs of high priority go first, those of low priority last. Among
 * equals it is the job with the fewest live attempts, so that one large job cannot hold up a small one; within a job,
 * tasks that wait again go before untouched ones.
 */
export function place(view: PlacementView, limit: number): Placement {
  const seats = seatsOf(view.workers, (session) => view.tasks.slotsUsedBySession(session), view.loadOf);
  let slotsFree = seats.reduce((sum, seat) => sum + freeSlots(seat), 0);
  let roundRobinNext = view.roundRobinFrom;
  const assignments: Assignment[] = [];
  const locksTaken = new Set<LockName>();
  const queues = new MinHeap<Queue>(
    (left, right) => urgency(right) - urgency(left) || left.live - right.live || left.job.id - right.job.id,
  );
  for (const job of slotsFree > 0 ? view.tasks.waitingJobs() : []) {
    queues.push({ job, plan: null, live: liveCount(job.counts) });
  }
  while (assignments.length < limit && slotsFree > 0) {
    const queue = queues.pop();
    if (queue === null) break;
    const { lock, slots, policy } = queue.job.spec;
    if (isLockTaken(view, lock, locksTaken)) continue;
    const plan = (queue.plan ??= planFor(queue.job, seats));
    const chosen = next(plan, roundRobinNext);
    if (chosen === null) continue;
    assignments.push(assignmentOf(queue.job, plan, chosen.seat, chosen.task));
    chosen.seat.used += slots;
    slotsFree -= slots;
    queue.live += 1;
    if (policy === 'round-robin') roundRobinNext = (chosen.seat.order + 1) % seats.length;
    if (lock !== null) locksTaken.add(lock);
    queues.push(queue);
  }
  return { assignments, roundRobinNext };
}

function urgency({ job }: Queue): number {
  const { priority } = job.spec;
  return priority === undefined ? 0 : priority === 'high' ? 1 : -1;
}

/** Why a machine may not run a job however free it is, in words; null when it may. */
export function whyNot(job: Pick<Job, 'spec' | 'submitter' | 'rejectedBy'>, worker: Worker): string | null {
  const { on, slots } = job.spec;
  if (on !== null && on !== worker.node) return 'the job asks for another machine';
  if (worker.slots === 0) return 'runs no tasks';
  if (worker.slots < slots) return `has ${worker.slots} slots, a task of this job takes ${slots}`;
  if (!isAccepted(job.submitter, worker)) return 'its owner does not accept work from the submitting machine';
  return job.rejectedBy.get(worker.node) ?? null;
}

function isAccepted(submitter: NodeId, { node, accepts }: Worker): boolean {
  if (node === submitter || accepts.from === 'everyone') return true;
  return accepts.from === 'listed' && accepts.members.includes(submitter);
}

function isLockTaken(view: PlacementView, lock: LockName | null, taken: ReadonlySet<LockName>): boolean {
  if (lock === null) return false;
  return taken.has(lock) || view.tasks.attemptsUnder(lock) > 0 || !view.isLockFree(lock);
}

function planFor(job: MutableJob, seats: readonly Seat[]): Plan {
  const able = seats.filter((seat) => whyNot(job, seat.worker) === null);
  const { policy, slots } = job.spec;
  return {
    mayRun: new Set(able.map((seat) => seat.worker.node)),
    chooser: policy === 'round-robin' ? new InTurn(able, slots) : new LeastBusyFirst(able, slots),
    tasks: waitingTasks(job),
    skipped: 0,
  };
}

/** The next task of a job that has a machine now; null when none has, for the rest of this call. */
function next(plan: Plan, roundRobinFrom: number): { readonly seat: Seat; readonly task: Task } | null {
  while (plan.skipped < skippedTasksMax && !plan.chooser.isExhausted()) {
    const step = plan.tasks.next();
    if (step.done === true) return null;
    const seat = plan.chooser.choose(avoidedFor(plan, step.value), roundRobinFrom);
    if (seat !== null) return { seat, task: step.value };
    plan.skipped += 1;
  }
  return null;
}

const none: ReadonlySet<NodeId> = new Set();

/** Machines the task failed on, unless it failed on every one that may run it: then it starts over. */
function avoidedFor({ mayRun }: Plan, task: Task): ReadonlySet<NodeId> {
  if (task.avoided.length === 0) return none;
  const avoided = new Set(task.avoided);
  for (const node of mayRun) if (!avoided.has(node)) return avoided;
  return none;
}

function assignmentOf(job: Job, { mayRun }: Plan, { worker, used, foreignLoad }: Seat, task: Task): Assignment {
  const attempt = task.attemptCount + 1;
  return {
    job: job.id,
    index: task.index,
    attempt,
    node: worker.node,
    session: worker.session,
    reason: reasonFor(job, mayRun.size, `${used} of ${worker.slots} slots used`, foreignLoad, task),
  };
}

function reasonFor(job: Job, ableCount: number, usage: string, foreignLoad: number, task: Task): string {
  const others = ableCount === 1 ? 'the only machine that may run it' : null;
  const choice =
    job.spec.on !== null
      ? 'the job asks for this machine'
      : (others ??
        (job.spec.policy === 'round-robin'
          ? `next in turn of ${ableCount} machines`
          : `least busy of ${ableCount} machines`));
  const load = foreignLoad > 0 ? `, other load ${Math.round(foreignLoad * 100)} %` : '';
  const away = task.avoided.length > 0 ? '; kept away from machines it failed on where possible' : '';
  return `${choice} (${usage}${load})${away}`;
}
