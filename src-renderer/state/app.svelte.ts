import { getContext, setContext } from 'svelte';
import type { SkeinClient } from '../../shared/contract/client.ts';
import type { ConsensusView, LogEntry } from '../../shared/contract/consensus.ts';
import type { Lock } from '../../shared/contract/locks.ts';
import type { PeersView } from '../../shared/contract/peers.ts';
import type { Overview } from '../../shared/contract/swarm.ts';
import type { Job, JobDetail } from '../../shared/contract/tasks.ts';
import { fail } from '../../shared/domain/failure.ts';
import { FailureError } from '../../shared/domain/failure.ts';
import type { Connect } from '../api/connect.ts';
import { Clock } from './clock.svelte.ts';
import { Line } from './line.svelte.ts';
import { LiveView } from './live-view.svelte.ts';
import { Notices } from './notices.svelte.ts';
import { Router } from './router.svelte.ts';
import { SubmitDraft } from './submit-draft.svelte.ts';
import { Appearance } from './theme.svelte.ts';

/** Everything the window knows, made once and handed down by context. */
export class App {
  readonly clock = new Clock();
  readonly notices = new Notices();
  readonly router: Router;
  readonly appearance: Appearance;
  readonly line: Line;
  readonly overview = new LiveView<Overview>();
  readonly peers = new LiveView<PeersView>();
  readonly jobs = new LiveView<{ jobs: Job[] }>();
  readonly locks = new LiveView<{ locks: Lock[] }>();
  readonly job = new LiveView<JobDetail>();
  readonly consensus = new LiveView<ConsensusView>();
  readonly logTail = new LiveView<{ entries: LogEntry[]; firstSlot: number }>();
  readonly draft = new SubmitDraft();
  /** Folders of this machine that a form may begin with; null until the node has said. */
  places = $state.raw<Awaited<ReturnType<SkeinClient['files']['places']>> | null>(null);
  paused = $state(false);
  paletteOpen = $state(false);
  shortcutsOpen = $state(false);
  /** The job that `job` is about; a view of another one is shown to nobody. */
  jobFollowed = $state.raw<{ readonly selector: string; readonly offset: number } | null>(null);

  constructor(options: { connect: Connect; page: Window }) {
    this.line = new Line(options.connect);
    this.router = new Router(options.page);
    this.appearance = new Appearance(options.page.document.documentElement, storeOf(options.page));
  }

  /** No coordinator that can decide: locks and new work wait. */
  get canDecide(): boolean {
    const state = this.overview.view?.state;
    return this.line.state === 'open' && state !== undefined && state !== 'no-quorum' && state !== 'none';
  }

  /** The client, or a failure that says why there is none. */
  get client(): SkeinClient {
    const client = this.line.client;
    if (client === null)
      throw new FailureError(fail('not-running', 'There is no line to the Skein process on this machine.').failure);
    return client;
  }

  start(): void {
    this.clock.start();
    this.router.start();
    // Every failure inside is kept as state; what is left over would be a mistake of ours, and is shown as one.
    this.line
      .run((client) => this.#followAll(client))
      .catch((error: unknown) => this.notices.bad({ code: 'internal', message: String(error) }));
  }

  stop(): void {
    this.clock.stop();
    this.router.stop();
    for (const view of this.#views) view.stop();
    this.line.stop();
  }

  /** Asks for the folders a form begins with, and fills in the latest where nothing is typed yet. */
  async findPlaces(): Promise<void> {
    this.places = await this.client.files.places();
    if (this.draft.cwd === '') this.draft.cwd = this.places.recent[0] ?? this.places.home;
  }

  togglePaused(): void {
    this.paused = !this.paused;
    for (const view of this.#views) view.setPaused(this.paused);
  }

  /** Follows one job with one page of its tasks. */
  followJob(selector: string, offset: number): void {
    if (this.jobFollowed?.selector !== selector) this.job.clear();
    this.jobFollowed = { selector, offset };
    this.#observe(
      this.job.follow(async (signal) => this.client.tasks.watchOne({ selector, offset, limit: 100 }, { signal })),
    );
  }

  /** What is on screen stays as it is: parts of a page that is being taken down still look at it. */
  leaveJob(): void {
    this.job.stop();
  }

  followConsensus(): void {
    this.#observe(this.consensus.follow(async (signal) => this.client.consensus.watch(undefined, { signal })));
  }

  leaveConsensus(): void {
    this.consensus.stop();
  }

  followLog(): void {
    this.#observe(this.logTail.follow(async (signal) => this.client.consensus.watchLog({ limit: 200 }, { signal })));
  }

  leaveLog(): void {
    this.logTail.stop();
  }

  get #views(): readonly { stop(): void; setPaused(paused: boolean): void }[] {
    return [this.overview, this.peers, this.jobs, this.locks, this.job, this.consensus, this.logTail];
  }

  #followAll(client: SkeinClient): void {
    this.#observe(this.overview.follow((signal) => client.swarm.watch(undefined, { signal })));
    this.#observe(this.peers.follow((signal) => client.peers.watch(undefined, { signal })));
    this.#observe(this.jobs.follow((signal) => client.tasks.watch(undefined, { signal })));
    this.#observe(this.locks.follow((signal) => client.locks.watch(undefined, { signal })));
    if (this.router.route.place === 'tasks' && this.jobFollowed?.selector === this.router.route.item)
      this.followJob(this.jobFollowed.selector, this.jobFollowed.offset);
  }

  #observe(following: Promise<void>): void {
    following.catch((error: unknown) => this.notices.bad({ code: 'internal', message: String(error) }));
  }
}

/** Browser storage, or null where it is switched off: then choices last as long as the window. */
function storeOf(page: Window): Storage | null {
  try {
    return page.localStorage;
  } catch {
    return null;
  }
}

const key = Symbol('app');
export const provideApp = (app: App): App => setContext(key, app);
export const useApp = (): App => getContext<App>(key);
