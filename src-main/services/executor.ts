import { FailureError } from '../../shared/domain/failure.ts';
import type { ContentHash, NodeId } from '../../shared/domain/ids.ts';
import type { AcceptPolicy, Role } from '../../shared/domain/member.ts';
import type { JobManifest } from '../../shared/domain/task.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { AttemptKey } from '../core/tasks/commands.ts';
import { attemptOwner, type LiveAttempt } from '../core/tasks/job.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ProcessRunner } from '../ports/process-runner.ts';
import { attemptFolder, pruneFolders, removeWork } from './attempt-folder.ts';
import { AttemptReports } from './attempt-reports.ts';
import { runAttempt, type AttemptEnd, type AttemptSurroundings, type AttemptWork } from './attempt.ts';
import type { ContentExchange } from './content-exchange.ts';
import type { Courier } from './courier.ts';
import { readManifest } from './manifest.ts';
import { untilAnsweredMs, type Replica } from './replica.ts';
import { Room } from './room.ts';
import type { SessionKeeper } from './session-keeper.ts';
import { acquireLock } from './task-locks.ts';

/** Ended attempts between two looks at how many folders there are. */
const endsPerPrune = 500;
const manifestsKept = 8;

export interface ExecutorOptions {
  readonly self: NodeId;
  readonly attemptsHome: string;
  readonly replica: Replica;
  readonly keeper: SessionKeeper;
  readonly store: ContentStore;
  readonly exchange: ContentExchange;
  readonly runner: ProcessRunner;
  readonly courier: Courier;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time a program gets to end by itself once asked. */
  readonly killGraceMs: number;
  /** The owner's word, as it is now. */
  readonly policy: () => { readonly accepts: AcceptPolicy; readonly slots: number };
  /** The submitter's role now; null for a machine that is no member any more. */
  readonly roleOf: (node: NodeId) => Role | null;
  /** Members that are connected, to ask for files when the submitter cannot give them. */
  readonly connected: () => readonly NodeId[];
}

interface Running {
  readonly work: AttemptWork;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Runs the attempts that the log assigns to this run of this machine, and nothing else. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #running = new Map<string, Running>();
  /** Attempts that are over here while the log still waits to hear of it: they must not begin a second time. */
  readonly #over = new Set<string>();
  readonly #manifests = new Map<ContentHash, Promise<JobManifest>>();
  readonly #reports: AttemptReports;
  readonly #room: Room;
  #unsubscribe: (() => void)[] = [];
  #ends = 0;

  constructor(options: ExecutorOptions) {
    const { replica, keeper, clock, logger } = options;
    this.#options = options;
    this.#room = new Room(() => options.policy().slots);
    this.#reports = new AttemptReports({
      clock,
      logger,
      session: () => keeper.session,
      propose: (command) => replica.propose(command, { timeoutMs: untilAnsweredMs }),
      live: (key) => this.#isLive(key),
    });
  }

  /** Attempts under way here, in whatever phase. */
  get running(): number {
    return this.#running.size;
  }

  start(): void {
    const { replica, keeper } = this.#options;
    this.#unsubscribe = [
      replica.onEvent((event) => this.#heard(event)),
      keeper.onStanding((standing) => {
        if (standing === 'held') this.#reconcile();
        else
          this.#stopAll(
            standing === 'closed'
              ? 'this machine is stopping'
              : 'this machine was out of touch with the swarm for too long',
          );
      }),
    ];
    this.#reconcile();
  }

  /** Ends every attempt and its process tree before it resolves. */
  async stop(): Promise<void> {
    for (const end of this.#unsubscribe) end();
    this.#stopAll('this machine is stopping');
    await Promise.all([...this.#running.values()].map((running) => running.done));
    this.#reports.stop();
  }

  #heard(event: NodeEvent): void {
    if (event.type === 'state-replaced') this.#reconcile();
    if (event.type !== 'applied') return;
    for (const change of event.events) {
      if (change.type === 'attempt-assigned' && change.session === this.#options.keeper.session)
        this.#assigned(change.key);
      if (change.type === 'attempt-ended') {
        this.#over.delete(nameOf(change.key));
        this.#running.get(nameOf(change.key))?.stop.abort(`it is ${change.state} in the log`);
      }
    }
  }

  /** Begins what the state says is ours and ends what it no longer does. */
  #reconcile(): void {
    const { replica, keeper } = this.#options;
    const session = keeper.session;
    if (session === null) return;
    const live = replica.state().tasks.attemptsOfSession(session);
    const names = new Set(live.map(({ key }) => nameOf(key)));
    for (const [name, running] of this.#running)
      if (!names.has(name)) running.stop.abort('it is no longer assigned to this machine');
    for (const name of this.#over) if (!names.has(name)) this.#over.delete(name);
    for (const attempt of live) this.#begin(attempt);
  }

  #assigned(key: AttemptKey): void {
    const { replica, keeper } = this.#options;
    const session = keeper.session;
    if (session === null) return;
    const attempt = replica
      .state()
      .tasks.attemptsOfSession(session)
      .find((other) => nameOf(other.key) === nameOf(key));
    if (attempt !== undefined) this.#begin(attempt);
  }

  #begin(attempt: LiveAttempt): void {
    const name = nameOf(attempt.key);
    const { replica, keeper, policy, roleOf, self } = this.#options;
    const job = replica.state().tasks.job(attempt.key.job);
    if (job === null || this.#running.has(name) || this.#over.has(name)) return;
    const work: AttemptWork = {
      key: attempt.key,
      session: attempt.session,
      submitter: job.submitter,
      spec: job.spec,
      manifest: job.manifest,
    };
    const stop = new AbortController();
    const refusal = refusalOf(policy(), { id: job.submitter, role: roleOf(job.submitter) }, self);
    const ending =
      refusal !== null
        ? Promise.resolve<AttemptEnd>({ outcome: { type: 'rejected', reason: refusal }, outputs: null })
        : keeper.held === attempt.session
          ? runAttempt(work, this.#surroundings(work), stop.signal)
          : Promise.resolve<AttemptEnd>({
              outcome: { type: 'broken', reason: 'this machine was out of touch with the swarm', retryable: true },
              outputs: null,
            });
    this.#running.set(name, { work, stop, done: this.#see(name, work, ending) });
  }

  async #see(name: string, work: AttemptWork, ending: Promise<AttemptEnd>): Promise<void> {
    const { logger, courier, attemptsHome } = this.#options;
    const folder = attemptFolder(attemptsHome, work.key);
    try {
      const end = await ending;
      if (this.#isLive(work.key)) this.#reports.finished({ ...work.key, ...end });
    } catch (error) {
      logger.error('an attempt failed in a way that was not foreseen', { attempt: name, reason: String(error) });
      const reason = 'An unforeseen error on the machine; its log has the details.';
      if (this.#isLive(work.key))
        this.#reports.finished({ ...work.key, outcome: { type: 'broken', reason, retryable: true }, outputs: null });
    } finally {
      this.#running.delete(name);
      if (this.#isLive(work.key)) this.#over.add(name);
    }
    courier.sendTail(work, folder);
    await removeWork(folder, logger);
    if (++this.#ends % endsPerPrune === 0)
      await pruneFolders(
        attemptsHome,
        new Set([...this.#running.values()].map(({ work: { key } }) => `${key.job}.${key.index}.${key.attempt}`)),
      );
  }

  #surroundings(work: AttemptWork): AttemptSurroundings {
    const { self, store, runner, courier, replica, exchange, attemptsHome, killGraceMs, logger } = this.#options;
    return {
      self,
      folder: attemptFolder(attemptsHome, work.key),
      killGraceMs,
      store,
      runner,
      logger,
      fetchManifest: (of, signal) => this.#manifest(of, signal),
      fetchFiles: async (of, files, signal) => {
        const fetched = await exchange.fetch(
          files.map((file) => file.hash),
          () => this.#sources(of),
          signal,
        );
        if (!fetched.ok) throw new FailureError(fetched.failure);
      },
      acquireLock: (of, name, signal) =>
        acquireLock(
          replica,
          {
            name,
            session: of.session,
            owner: attemptOwner(of.key.job, of.key.index, of.key.attempt),
            label: of.spec.name,
            wait: true,
          },
          signal,
          () => undefined,
        ),
      whenRoom: (of, signal, program) => this.#room.use(of.spec.slots, signal, program),
      deliver: (of, files, signal) => courier.deliver(of, files, signal),
      progressed: (state) => {
        if (this.#isLive(work.key)) this.#reports.progressed(work.key, state);
      },
    };
  }

  /** Tasks of one job come together and need the same list. */
  async #manifest(work: AttemptWork, signal: AbortSignal): Promise<JobManifest> {
    const known = this.#manifests.get(work.manifest);
    if (known === undefined) return this.#readManifest(work, signal);
    try {
      return await known;
    } catch (error) {
      // The attempt that was reading it may have been given up, which says nothing about this one.
      if (signal.aborted) throw error;
      return this.#readManifest(work, signal);
    }
  }

  #readManifest(work: AttemptWork, signal: AbortSignal): Promise<JobManifest> {
    const { exchange, store } = this.#options;
    const reading = (async () => {
      const fetched = await exchange.fetch([work.manifest], () => this.#sources(work), signal);
      if (!fetched.ok) throw new FailureError(fetched.failure);
      return readManifest(store, work.manifest);
    })();
    this.#manifests.set(work.manifest, reading);
    // A failed reading is not kept: the next task of the job tries anew.
    reading.catch(() => {
      if (this.#manifests.get(work.manifest) === reading) this.#manifests.delete(work.manifest);
    });
    const oldest = this.#manifests.keys().next().value;
    if (this.#manifests.size > manifestsKept && oldest !== undefined) this.#manifests.delete(oldest);
    return reading;
  }

  #sources(work: AttemptWork): readonly NodeId[] {
    const { self, connected } = this.#options;
    return [work.submitter, ...connected().filter((node) => node !== work.submitter)].filter((node) => node !== self);
  }

  #stopAll(reason: string): void {
    for (const running of this.#running.values()) running.stop.abort(reason);
  }

  #isLive(key: AttemptKey): boolean {
    const task = this.#options.replica.state().tasks.task(key.job, key.index);
    return task !== null && task.attempts.at(-1)?.token === key.token && task.attempts.at(-1)?.endedAt === null;
  }
}

const nameOf = (key: AttemptKey): string => `${key.job}.${key.index}#${key.token}`;

/** Asked at the moment an attempt starts, of the policy and the membership as they are then. */
function refusalOf(
  policy: { readonly accepts: AcceptPolicy; readonly slots: number },
  submitter: { readonly id: NodeId; readonly role: Role | null },
  self: NodeId,
): string | null {
  if (policy.slots === 0) return 'its owner has set it to run nothing';
  if (submitter.role === null) return 'the submitter is no member any more';
  if (submitter.role === 'observer') return 'the submitter may only look on';
  if (submitter.id === self || policy.accepts.from === 'everyone') return null;
  if (policy.accepts.from === 'listed' && policy.accepts.members.includes(submitter.id)) return null;
  return 'its owner does not run the work of this submitter';
}
