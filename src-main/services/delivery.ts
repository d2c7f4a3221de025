import { join } from 'node:path';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { ContentHash, JobId, NodeId } from '../../shared/domain/ids.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { Task } from '../core/tasks/job.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import { checkedStagedFiles, outputFilesMax } from './attempt-folder.ts';
import { pause } from './backoff.ts';
import { Gate } from './concurrency.ts';
import { collectMessageBytesMax } from './courier.ts';
import { parseJson } from './node-record.ts';
import type { Replica } from './replica.ts';
import type { SubmissionRecord, SubmissionRecords } from './submission-records.ts';

const placementsAtOnce = 4;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

export interface DeliveryOptions {
  readonly self: NodeId;
  readonly replica: Replica;
  readonly store: ContentStore;
  readonly records: SubmissionRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when what `standingOf` answers may have changed. */
  readonly changed: () => void;
  /** Called when a job is no longer remembered: its kept texts may go. */
  readonly forgotten: (job: JobId) => Promise<void>;
}

export interface DeliveryStanding {
  readonly delivered: number;
  readonly pending: number;
  readonly folder: string;
  readonly error: string;
}

interface JobDelivery {
  readonly manifest: ContentHash;
  record: SubmissionRecord | null;
  readonly done: Set<string>;
  readonly pending: Set<string>;
  error: string;
}

/**
 * Puts the outputs of this machine's own jobs into their folder once their success stands in the log, each exactly
 * as stored, and again after a restart for whatever is not noted as placed.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #jobs = new Map<JobId, Promise<JobDelivery>>();
  readonly #standings = new Map<JobId, JobDelivery>();
  readonly #gate = new Gate(placementsAtOnce);
  readonly #stopping = new AbortController();
  #unsubscribe: (() => void) | null = null;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unsubscribe = this.#options.replica.onEvent((event) => this.#heard(event));
    this.#scan();
  }

  stop(): void {
    this.#stopping.abort();
    this.#unsubscribe?.();
  }

  /** Null for jobs without outputs, and for those of other machines. */
  standingOf(job: JobId): DeliveryStanding | null {
    const standing = this.#standings.get(job);
    if (standing === undefined) return null;
    return {
      delivered: standing.done.size,
      pending: standing.pending.size,
      folder: standing.record?.folder ?? '',
      error: standing.error,
    };
  }

  #heard(event: NodeEvent): void {
    if (event.type === 'state-replaced') this.#scan();
    if (event.type !== 'applied') return;
    const { replica, self } = this.#options;
    for (const change of event.events) {
      if (change.type === 'attempt-ended' && change.submitter === self && change.state === 'succeeded') {
        const task = replica.state().tasks.task(change.key.job, change.key.index);
        if (task !== null) this.#begin(task);
      }
      if (change.type === 'job-submitted' && change.submitter === self) void this.#jobOf(change.job);
      if (change.type === 'job-removed') {
        this.#forget(change.job).catch((error: unknown) =>
          this.#options.logger.warn('a removed job left files behind', { job: change.job, reason: String(error) }),
        );
      }
    }
  }

  /** Whatever succeeded while this machine was away, or before it stopped. */
  #scan(): void {
    const { replica, self } = this.#options;
    for (const job of replica.state().tasks.jobs()) {
      if (job.submitter !== self || job.spec.outputs.length === 0) continue;
      void this.#jobOf(job.id);
      for (const task of replica.state().tasks.tasksPage(job.id, 0, job.taskCount, 'succeeded').tasks)
        this.#begin(task);
    }
  }

  #begin(task: Task): void {
    if (task.outputs === null) return;
    void this.#deliver(task.job, `${task.index}#${task.attemptCount}`, task).catch((error: unknown) => {
      this.#options.logger.error('a delivery failed in a way that was not foreseen', {
        job: task.job,
        index: task.index,
        reason: String(error),
      });
    });
  }

  async #deliver(jobId: JobId, name: string, task: Task): Promise<void> {
    const outputs = task.outputs;
    const job = this.#options.replica.state().tasks.job(jobId);
    const opening = this.#jobOf(jobId);
    if (outputs === null || job === null || opening === null) return;
    this.#standings.get(jobId)?.pending.add(name);
    const delivery = await opening;
    if (delivery.done.has(name)) {
      delivery.pending.delete(name);
      return;
    }
    delivery.pending.add(name);
    let waitMs = firstRetryMs;
    while (!this.#stopping.signal.aborted && this.#standings.has(jobId)) {
      try {
        await this.#gate.run(() => this.#place(delivery, task.index, outputs.manifest));
        await this.#options.records.noteDelivered(job.manifest, name);
        delivery.done.add(name);
        delivery.pending.delete(name);
        delivery.error = '';
        this.#options.changed();
        return;
      } catch (error) {
        delivery.error = error instanceof FailureError ? error.failure.message : String(error);
        this.#options.logger.warn('outputs could not be placed', {
          job: jobId,
          index: task.index,
          reason: delivery.error,
        });
        this.#options.changed();
      }
      await pause(this.#options.clock, waitMs, this.#stopping.signal);
      waitMs = Math.min(2 * waitMs, longestRetryMs);
    }
  }

  async #place(delivery: JobDelivery, index: number, manifest: Parameters<ContentStore['read']>[0]): Promise<void> {
    const { record } = delivery;
    if (record === null)
      throw new FailureError(
        fail('not-found', 'The record of where the outputs go is lost; they stay in the content store.').failure,
      );
    const list = await this.#options.store.read(manifest, collectMessageBytesMax);
    if (!list.ok) throw new FailureError(list.failure);
    const files = checkedStagedFiles(parseJson(Buffer.from(list.value).toString('utf8')), outputFilesMax);
    if (files === null)
      throw new FailureError(fail('corrupt', 'The list of outputs in the content store is damaged.').failure);
    const folder = record.perTask ? join(record.folder, String(index)) : record.folder;
    for (const file of files) {
      const placed = await this.#options.store.place(file.hash, join(folder, ...file.path.split('/')), {
        executable: file.executable,
      });
      if (!placed.ok) throw new FailureError(placed.failure);
    }
  }

  #jobOf(jobId: JobId): Promise<JobDelivery> | null {
    const known = this.#jobs.get(jobId);
    const job = this.#options.replica.state().tasks.job(jobId);
    if (known !== undefined) return known;
    if (job === null || job.spec.outputs.length === 0) return null;
    const delivery: JobDelivery = {
      manifest: job.manifest,
      record: null,
      done: new Set(),
      pending: new Set(),
      error: '',
    };
    this.#standings.set(jobId, delivery);
    const { records } = this.#options;
    const opening = (async () => {
      delivery.record = await records.read(job.manifest);
      for (const name of await records.delivered(job.manifest)) delivery.done.add(name);
      this.#options.changed();
      return delivery;
    })();
    this.#jobs.set(jobId, opening);
    return opening;
  }

  async #forget(job: JobId): Promise<void> {
    const standing = this.#standings.get(job);
    this.#jobs.delete(job);
    this.#standings.delete(job);
    await this.#options.forgotten(job);
    if (standing !== undefined) await this.#options.records.forget(standing.manifest);
  }
}
