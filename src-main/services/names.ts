import { FailureError, fail, ok, type Result } from '../../shared/domain/failure.ts';
import { jobId, type JobId, type NodeId } from '../../shared/domain/ids.ts';
import type { MembershipSet } from '../swarm/membership-set.ts';
import type { SwarmState } from '../core/state-machine/state.ts';

export interface NodeRef {
  readonly id: string;
  readonly name: string;
}

/** What people call a machine: the name in its grant, or the end of its id. */
export function nodeRef(membership: MembershipSet, node: NodeId): NodeRef {
  return { id: node, name: membership.member(node)?.name ?? `…${node.slice(-6)}` };
}

/** The member with this id or name; fails when none or several fit. */
export function memberNamed(membership: MembershipSet, text: string): Result<NodeId> {
  const members = membership.members();
  const exact = members.filter((member) => member.id === text || member.name === text);
  const [found, second] =
    exact.length > 0 ? exact : members.filter((member) => text.length >= 6 && member.id.endsWith(text));
  if (found === undefined) {
    return fail(
      'not-found',
      `No member is called ${text}.`,
      `Members are: ${members
        .map((member) => member.name)
        .join(', ')
        .slice(0, 300)}.`,
    );
  }
  if (second !== undefined)
    return fail('bad-input', `Several members are called ${text}.`, 'Use the id of the one you mean.');
  return ok(found.id);
}

export interface Selection {
  readonly job: JobId;
  /** Null means the whole job. */
  readonly index: number | null;
}

/** Reads `81`, `81.3` or `last` (the newest job of `self`, or of anyone). Throws `bad-input` or `not-found`. */
export function readSelector(state: SwarmState, self: NodeId, selector: string): Selection {
  if (selector === 'last') {
    const jobs = state.tasks.jobs();
    const newest = jobs.find((job) => job.submitter === self) ?? jobs[0];
    if (newest === undefined)
      throw new FailureError(fail('not-found', 'There is no job yet.', 'Submit one with “skein submit”.').failure);
    return { job: newest.id, index: null };
  }
  const match = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(selector);
  if (match === null)
    throw new FailureError(
      fail('bad-input', `“${selector}” names no job.`, 'Use a number as 81, a task as 81.3, or last.').failure,
    );
  const job = state.tasks.job(jobId(Number(match[1])));
  if (job === null)
    throw new FailureError(
      fail('not-found', `There is no job ${match[1] ?? ''}.`, 'List the jobs with “skein ps”.').failure,
    );
  const index = match[2] === undefined ? null : Number(match[2]);
  if (index !== null && index >= job.taskCount) {
    throw new FailureError(
      fail('not-found', `Job ${job.id} has no task ${index}: it has ${job.taskCount}, counted from 0.`).failure,
    );
  }
  return { job: job.id, index };
}
