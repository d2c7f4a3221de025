import { resolve } from 'node:path';
import type { SkeinServices } from '../api/services.ts';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import { contentHash, type ContentHash, type NodeId } from '../../shared/domain/ids.ts';
import type { JobManifest } from '../../shared/domain/task.ts';
import type { JobDetail } from '../../shared/contract/tasks.ts';
import type { Job } from '../core/tasks/job.ts';
import { whyNot } from '../core/tasks/placement.ts';
import { explain } from './explain.ts';
import { jobDetail, jobsView, workersOf, type TaskPage } from './jobs-view.ts';
import type { Changes } from './live-view.ts';
import { readManifest } from './manifest.ts';
import { memberNamed, nodeRef, readSelector, type Selection } from './names.ts';
import { expandPlaceholders, labelOf } from './placeholders.ts';
import { provenanceOf, type Frame } from './provenance.ts';
import type { RecentFolders } from './recent-folders.ts';
import { requirePeer, valueOf, type PeerHolder, type RunningPeer } from './running-peer.ts';
import { outputsCollide } from './submission-records.ts';
import { planSubmission, storePlan, type CheckedSubmission, type SubmissionPlan } from './submission.ts';

const previewTasks = 5;
const manifestsCached = 4;

/** Submits, shows, cancels and explains work. */
export function createTasksService(
  holder: PeerHolder,
  changes: Changes,
  recentFolders: RecentFolders,
): SkeinServices['tasks'] {
  const manifests = new ManifestCache();
  const frame = <View>(peer: RunningPeer, view: View): Frame<View> => ({
    sequence: changes.sequence,
    provenance: provenanceOf(peer),
    view,
  });
  const listed = (): Frame<ReturnType<typeof jobsView>> => {
    const peer = requirePeer(holder);
    return frame(peer, jobsView(peer));
  };
  const nothing = (): ReturnType<typeof listed> => ({
    sequence: changes.sequence,
    provenance: provenanceOf(null),
    view: { jobs: [] },
  });
  const shown = async (input: ShowInput): Promise<Frame<JobDetail>> => {
    const peer = requirePeer(holder);
    const { job, index } = selected(peer, input.selector);
    const page: TaskPage = { offset: input.offset, limit: input.limit, state: input.state ?? null, index };
    return frame(peer, jobDetail(peer, job, page, await manifests.read(peer, job)));
  };
  return {
    submit: async (input, call) => {
      const submitted = await submit(requirePeer(holder), input, call.signal);
      await recentFolders.used(resolve(input.cwd));
      return submitted;
    },
    preview: async (input) => preview(requirePeer(holder), input),
    list: async () => listed(),
    // A window that is open while the machine joins or leaves simply sees the list fill or empty.
    watch: (call) => changes.watch(() => (holder.current === null ? nothing() : listed()), call.signal),
    show: async (input) => shown(input),
    watchOne: (input, call) => changes.watch(() => shown(input), call.signal),
    cancel: async ({ selector, reason }) => {
      const peer = requirePeer(holder);
      const { job, index } = readSelector(peer.replica.state(), peer.self, selector);
      const by = nodeRef(peer.membership, peer.self).name;
      const indices = index === null ? null : [index];
      return { cancelled: await changed(peer, { type: 'tasks-cancelled', job, indices, by, reason }) };
    },
    retry: async ({ selector }) => {
      const peer = requirePeer(holder);
      const { job, index } = readSelector(peer.replica.state(), peer.self, selector);
      const by = nodeRef(peer.membership, peer.self).name;
      return {
        retried: await changed(peer, { type: 'tasks-retried', job, indices: index === null ? null : [index], by }),
      };
    },
    explain: async ({ selector }) => {
      const peer = requirePeer(holder);
      const { job, index } = selected(peer, selector);
      return explain(peer, job, index);
    },
    readLog: async (input, call) => {
      const peer = requirePeer(holder);
      return readLog(peer, readSelector(peer.replica.state(), peer.self, input.selector), input, call.signal);
    },
  };
}

interface ShowInput {
  readonly selector: string;
  readonly offset: number;
  readonly limit: number;
  readonly state?: TaskPage['state'] | undefined;
}

/** Throws `not-authorised` for machines that were admitted to look on. */
function requireSubmitter(peer: RunningPeer): void {
  if (peer.membership.member(peer.self)?.role !== 'observer') return;
  throw new FailureError(
    fail(
      'not-authorised',
      'This machine was admitted as an observer and may submit no work.',
      'Ask an admin for another role.',
    ).failure,
  );
}

async function submit(
  peer: RunningPeer,
  input: CheckedSubmission,
  signal: AbortSignal,
): Promise<{ job: number; taskCount: number; inputBytes: number }> {
  requireSubmitter(peer);
  const plan = await planSubmission(input, (text) => memberNamed(peer.membership, text));
  const manifest = await storePlan(plan, peer.store, signal);
  if (plan.spec.outputs.length > 0)
    await peer.submissions.write(manifest, { folder: plan.folder, perTask: collides(plan) });
  const answer = valueOf(
    await peer.replica.propose(
      { type: 'job-submitted', submitter: peer.self, spec: plan.spec, taskCount: plan.taskCount, manifest },
      { signal },
    ),
  );
  if (answer.type !== 'job-accepted')
    throw new FailureError(fail('internal', 'The log gave the job no number.').failure);
  return { job: answer.job, taskCount: plan.taskCount, inputBytes: plan.inputBytes };
}

async function preview(
  peer: RunningPeer,
  input: CheckedSubmission,
): Promise<Awaited<ReturnType<SkeinServices['tasks']['preview']>>> {
  const plan = await planSubmission(input, (text) => memberNamed(peer.membership, text));
  const job = { spec: plan.spec, submitter: peer.self, rejectedBy: new Map<NodeId, string>() };
  return {
    taskCount: plan.taskCount,
    inputBytes: plan.inputBytes,
    first: valuesOf(plan)
      .slice(0, previewTasks)
      .map((values) => ({
        label: labelOf(values),
        argv: plan.spec.argv.map((part) => expandPlaceholders(part, values)),
      })),
    machines: workersOf(peer).map((worker) => {
      const reason = whyNot(job, worker);
      return { node: nodeRef(peer.membership, worker.node), able: reason === null, reason: reason ?? 'may run it' };
    }),
  };
}

const valuesOf = (plan: SubmissionPlan): readonly { index: number; file?: string; line?: string }[] =>
  plan.items.map(({ index, file, line }) => ({
    index,
    ...(file === null ? {} : { file: file.path }),
    ...(line === null ? {} : { line }),
  }));

const collides = (plan: SubmissionPlan): boolean => outputsCollide(plan.spec.outputs, valuesOf(plan));

function selected(peer: RunningPeer, selector: string): { job: Job; index: number | null } {
  const selection = readSelector(peer.replica.state(), peer.self, selector);
  const job = peer.replica.state().tasks.job(selection.job);
  if (job === null) throw new FailureError(fail('not-found', `There is no job ${selection.job}.`).failure);
  return { job, index: selection.index };
}

async function changed(peer: RunningPeer, command: Parameters<RunningPeer['replica']['propose']>[0]): Promise<number> {
  const answer = valueOf(await peer.replica.propose(command));
  return answer.type === 'tasks-changed' ? answer.count : 0;
}

async function readLog(
  peer: RunningPeer,
  selection: Selection,
  input: {
    attempt?: number | undefined;
    stream: 'stdout' | 'stderr';
    offset: number;
    bytesMax: number;
    waitMs: number;
  },
  signal: AbortSignal,
): Promise<Awaited<ReturnType<SkeinServices['tasks']['readLog']>>> {
  const { job, index } = selection;
  const task = peer.replica.state().tasks.task(job, index ?? 0);
  const attempt = task?.attempts.findLast((other) => input.attempt === undefined || other.number === input.attempt);
  if (attempt === undefined) {
    if (input.attempt !== undefined)
      throw new FailureError(fail('not-found', `Task ${job}.${index ?? 0} has no attempt ${input.attempt}.`).failure);
    const over = task !== null && task.attempts.length === 0 && task.state !== 'waiting';
    return {
      offset: input.offset,
      nextOffset: input.offset,
      totalBytes: 0,
      text: '',
      ended: over,
      missingBytes: 0,
      droppedBytes: 0,
      source: 'none',
    };
  }
  const key = { job, index: index ?? 0, attempt: attempt.number, token: attempt.token };
  return peer.logs.read(key, attempt.node, input, signal);
}

/** Labels of tasks come from the manifest, which may be large: the ones looked at lately stay in memory. */
class ManifestCache {
  readonly #known = new Map<ContentHash, JobManifest>();

  /** Null when this machine does not hold the manifest. */
  async read(peer: RunningPeer, job: Job): Promise<JobManifest | null> {
    const hash = contentHash(job.manifest);
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    if (!(await peer.store.has(hash))) return null;
    try {
      const manifest = await readManifest(peer.store, hash);
      this.#known.set(hash, manifest);
      const oldest = this.#known.keys().next().value;
      if (this.#known.size > manifestsCached && oldest !== undefined) this.#known.delete(oldest);
      return manifest;
    } catch (error) {
      if (error instanceof FailureError) return null;
      throw error;
    }
  }
}
