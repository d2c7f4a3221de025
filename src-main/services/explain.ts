import type { SkeinServices } from '../api/services.ts';
import { placementViewOf } from '../core/state-machine/state.ts';
import { explainJob, explainTask } from '../core/tasks/explain.ts';
import type { Job, Task } from '../core/tasks/job.ts';
import { nodeRef } from './names.ts';
import type { RunningPeer } from './running-peer.ts';
import { outcomeWords } from './task-words.ts';

const historyTasksMax = 20;

type Explanation = Awaited<ReturnType<SkeinServices['tasks']['explain']>>;

/** Why a job or task stands as it stands, machine by machine, and what happened to it so far. */
export function explain(peer: RunningPeer, job: Job, index: number | null): Explanation {
  const state = peer.replica.state();
  const view = placementViewOf(state, (node) => peer.hints.load(node)?.load ?? null, 0);
  const task = state.tasks.task(job.id, index ?? 0);
  const single = task !== null && (index !== null || job.taskCount === 1);
  const { sentence, machines } = single ? explainTask(view, job, task) : explainJob(view, job);
  const silent = peer.replica.status().coordinator === null && job.endedAt === null;
  return {
    sentence: silent ? `No coordinator is heard, so nothing new is placed. ${sentence}` : sentence,
    machines: machines.map((machine) => ({
      node: nodeRef(peer.membership, machine.node),
      verdict: machine.verdict,
      eligible: machine.eligible,
    })),
    history: single
      ? taskHistory(peer, task)
      : state.tasks.tasksPage(job.id, 0, historyTasksMax).tasks.flatMap((each) => taskHistory(peer, each)),
  };
}

function taskHistory(peer: RunningPeer, task: Task): string[] {
  return task.attempts.map((attempt) => {
    const where = nodeRef(peer.membership, attempt.node).name;
    const end =
      attempt.endedAt === null
        ? attempt.state
        : `${attempt.state}${attempt.outcome === null ? '' : ` (${outcomeWords(attempt.outcome)})`}`;
    return `${task.job}.${task.index} attempt ${attempt.number} on ${where}, token ${attempt.token}: ${end}. Chosen because: ${attempt.reason}.`;
  });
}
