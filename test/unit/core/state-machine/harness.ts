import {
  jobId,
  lockName,
  nodeId,
  sessionId,
  slot,
  wallTime,
  contentHash,
  fencingToken,
} from '../../../../shared/domain/ids.ts';
import type { NodeId, SessionId } from '../../../../shared/domain/ids.ts';
import type { AttemptOutcome, JobSpec } from '../../../../shared/domain/task.ts';
import { apply } from '../../../../src-main/core/state-machine/apply.ts';
import type { Applied } from '../../../../src-main/core/state-machine/applied.ts';
import type { Capacity, Command, CommandResult } from '../../../../src-main/core/state-machine/command.ts';
import { createState, placementViewOf } from '../../../../src-main/core/state-machine/state.ts';
import type { SwarmState } from '../../../../src-main/core/state-machine/state.ts';
import type { AttemptKey } from '../../../../src-main/core/tasks/commands.ts';
import { place } from '../../../../src-main/core/tasks/placement.ts';
import type { Placement } from '../../../../src-main/core/tasks/placement.ts';

export const machine = (name: string): NodeId => nodeId(name);
export const run = (name: string, boot = 1): SessionId => sessionId(`${name}#i.${boot}`);
export const capacity = (slots: number): Capacity => ({
  slots,
  os: 'linux',
  arch: 'x64',
  memoryBytes: 1_000,
  accepts: { from: 'everyone' },
});

export const spec = (change: Partial<JobSpec> = {}): JobSpec => ({
  name: 'job',
  argv: ['true'],
  env: {},
  outputs: [],
  lock: null,
  retries: 0,
  timeoutMs: null,
  on: null,
  policy: 'least-loaded',
  slots: 1,
  ...change,
});

/** A log of one member: every command takes the next slot and the next sequence. */
export class Log {
  state: SwarmState;
  slot = 0;
  roundRobinNext = 0;

  constructor(state: SwarmState = createState()) {
    this.state = state;
  }

  full(command: Command): Applied {
    this.slot += 1;
    const request = { client: 'c', sequence: this.slot, answeredBelow: this.slot, command };
    if (this.slot === 1) request.answeredBelow = 1;
    return apply(this.state, slot(this.slot), { request, at: wallTime(1_000 + this.slot) });
  }

  do(command: Command): CommandResult {
    return this.full(command).result;
  }

  open(name: string, slots = 4, boot = 1): Applied {
    return this.full({
      type: 'session-opened',
      session: run(name, boot),
      node: machine(name),
      name,
      ttlMs: 20_000,
      capacity: capacity(slots),
    });
  }

  lock(name: string, who: string, owner = 'client:1', wait = true): CommandResult {
    return this.do({ type: 'lock-requested', name: lockName(name), session: run(who), owner, label: '', wait });
  }

  submit(taskCount: number, change: Partial<JobSpec> = {}, submitter = 'a'): CommandResult {
    return this.do({
      type: 'job-submitted',
      submitter: machine(submitter),
      spec: spec(change),
      taskCount,
      manifest: contentHash('00'),
    });
  }

  place(limit = 256): Placement {
    const placement = place(
      placementViewOf(this.state, () => null, this.roundRobinNext),
      limit,
    );
    this.roundRobinNext = placement.roundRobinNext;
    return placement;
  }

  /** Places and logs the assignments; answers the keys of the attempts that began. */
  assignAll(): AttemptKey[] {
    const { assignments } = this.place();
    const { events } = this.full({ type: 'tasks-assigned', assignments });
    return events.flatMap((event) => (event.type === 'attempt-assigned' ? event.key : []));
  }

  finish(who: string, key: AttemptKey, outcome: AttemptOutcome = { type: 'exited', exitCode: 0 }): Applied {
    return this.full({ type: 'attempts-finished', session: run(who), results: [{ ...key, outcome, outputs: null }] });
  }

  task(job: number, index: number): NonNullable<ReturnType<SwarmState['tasks']['task']>> {
    const task = this.state.tasks.task(jobId(job), index);
    if (task === null) throw new Error(`no task ${job}.${index}`);
    return task;
  }

  job(id: number): NonNullable<ReturnType<SwarmState['tasks']['job']>> {
    const job = this.state.tasks.job(jobId(id));
    if (job === null) throw new Error(`no job ${id}`);
    return job;
  }
}

export const token = fencingToken;
