import type { NodeId } from '../../../shared/domain/ids.ts';
import { finalTaskStates } from '../../../shared/domain/task.ts';
import type { Job, Task } from './job.ts';
import { liveAttemptOf, liveCount } from './job.ts';
import type { PlacementView, Worker } from './placement.ts';
import { whyNot } from './placement.ts';
import { lostAttemptsMax } from './retry.ts';

export interface MachineVerdict {
  readonly node: NodeId;
  readonly name: string;
  /** Whether it could start a task of the job right now. */
  readonly eligible: boolean;
  readonly verdict: string;
}

export interface Explanation {
  /** Why the job or task stands as it stands. */
  readonly sentence: string;
  /** Every machine with an open session, by name. */
  readonly machines: readonly MachineVerdict[];
}

/** Why a job stands as it stands. The reasons are those placement decides by. */
export function explainJob(view: PlacementView, job: Job): Explanation {
  const machines = verdicts(view, job, []);
  return { machines, sentence: jobSentence(view, job, machines) };
}

/** Why one task stands as it stands. */
export function explainTask(view: PlacementView, job: Job, task: Task): Explanation {
  const machines = verdicts(view, job, task.avoided);
  const live = liveAttemptOf(task);
  if (live !== null) {
    const name = view.workers.find((worker) => worker.node === live.node)?.name ?? live.node;
    return {
      machines,
      sentence: `Attempt ${live.number} is ${task.state} on ${name}: ${live.reason}.${lossWords(task)}`,
    };
  }
  if (finalTaskStates.has(task.state)) {
    return { machines, sentence: `It is ${task.state}${task.reason === '' ? '' : `: ${task.reason}`}.` };
  }
  const before = task.reason === '' ? '' : ` Before that: ${task.reason}.`;
  return { machines, sentence: `${waitingSentence(view, job, machines)}${before}` };
}

/** A task that may be what brings machines down says so before it has taken the last one. */
const lossWords = ({ lost }: Task): string =>
  lost === 0 ? '' : ` ${lost} of at most ${lostAttemptsMax} attempts were lost with their machines.`;

function jobSentence(view: PlacementView, job: Job, machines: readonly MachineVerdict[]): string {
  const { waiting } = job.counts;
  const live = liveCount(job.counts);
  if (waiting === 0 && live === 0) return `Every task is final: the job is ${job.state}.`;
  const running = live === 0 ? '' : `${live} of ${job.taskCount} tasks are on machines. `;
  return waiting === 0 ? running.trimEnd() : `${running}${waiting} wait. ${waitingSentence(view, job, machines)}`;
}

function waitingSentence(view: PlacementView, job: Job, machines: readonly MachineVerdict[]): string {
  const { lock, on } = job.spec;
  if (machines.length === 0) return 'It waits because no machine has an open session.';
  if (on !== null && !machines.some((machine) => machine.node === on)) {
    return 'It waits for the one machine it asks for, which is not here.';
  }
  if (!view.workers.some((worker) => whyNot(job, worker) === null)) {
    return `It waits because none of ${machines.length} machines may run it.`;
  }
  if (lock !== null && !view.isLockFree(lock)) return `It waits because lock ${lock} is held.`;
  if (lock !== null && view.tasks.attemptsUnder(lock) > 0) {
    return `It waits because another task that needs lock ${lock} was placed first.`;
  }
  if (!machines.some((machine) => machine.eligible)) return 'It waits for a free slot.';
  return 'It waits for its turn: a machine is free, the coordinator places it next.';
}

function verdicts(view: PlacementView, job: Job, avoided: readonly NodeId[]): readonly MachineVerdict[] {
  const able = view.workers.filter((worker) => whyNot(job, worker) === null);
  const failedOnAll = able.every((worker) => avoided.includes(worker.node));
  return view.workers
    .map((worker) => verdictOf(view, job, worker, !failedOnAll && avoided.includes(worker.node)))
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

function verdictOf(view: PlacementView, job: Job, worker: Worker, isAvoided: boolean): MachineVerdict {
  const { node, name, slots, session } = worker;
  const obstacle = whyNot(job, worker);
  if (obstacle !== null) return { node, name, eligible: false, verdict: obstacle };
  const used = view.tasks.slotsUsedBySession(session);
  const usage = `${used} of ${slots} slots used`;
  if (slots - used < job.spec.slots) return { node, name, eligible: false, verdict: `full: ${usage}` };
  if (isAvoided)
    return { node, name, eligible: false, verdict: `failed there before: another machine comes first (${usage})` };
  const load = view.loadOf(node);
  return {
    node,
    name,
    eligible: true,
    verdict: `free: ${usage}${load === null ? '' : `, load ${Math.round(load * 100)} %`}`,
  };
}
