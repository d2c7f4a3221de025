import {
  contentHash,
  lockName,
  type FencingToken,
  type LockName,
  type NodeId,
  type SessionId,
} from '../../shared/domain/ids.ts';
import type { Result } from '../../shared/domain/failure.ts';
import { jobPriorities, type AttemptOutcome, type JobSpec } from '../../shared/domain/task.ts';
import type { NodeEvent } from '../../src-main/core/node/messages.ts';
import type { NodeMachine } from '../../src-main/core/node/node.ts';
import type { Random } from '../../src-main/core/machine/random.ts';
import { rankPins } from '../../src-main/core/ranks/rank-table.ts';
import type { Command, CommandResult } from '../../src-main/core/state-machine/command.ts';
import type { StateEvent } from '../../src-main/core/state-machine/events.ts';
import type { AttemptKey } from '../../src-main/core/tasks/commands.ts';
import { attemptOwner } from '../../src-main/core/tasks/job.ts';
import type { Clock } from '../../src-main/ports/clock.ts';
import type { ReadIndex } from '../../src-main/runtime/read-index.ts';
import type { Requests } from '../../src-main/runtime/requests.ts';
import { between, chance, exponential, pick } from './forks.ts';
import { drawnKey, drawTransaction, KvFollower } from './kv-client.ts';
import { LockClient } from './lock-client.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

export const sessionTtlMs = 20_000;
const requestTimeoutMs = 30_000;
const unfinishedJobsMax = 12;
const manifest = contentHash('ab'.repeat(32));

interface ClientOptions {
  readonly node: SimNode;
  readonly world: World;
  readonly clock: Clock;
  readonly requests: Requests;
  readonly reads: ReadIndex;
  readonly machine: NodeMachine;
  /** The highest feature level that its program understands. */
  readonly supports: number;
  readonly firstSession: SessionId;
}

const attemptName = (key: AttemptKey): string => `${key.job}.${key.index}#${key.attempt}`;

/** What people and services do on one machine: keep a session, take locks, submit jobs, run what is assigned. */
export class SimClient {
  readonly #options: ClientOptions;
  readonly #random: Random;
  readonly #kvRandom: Random;
  readonly #renewals: Random;
  readonly #repeats: Random;
  readonly #priorities: Random;
  readonly #locks: LockClient;
  readonly #clientName: string;
  #session: SessionId;
  #open = false;
  #renewal = 0;
  #owner = 0;
  #readKeys = 0;
  #attempts = new Map<string, AttemptKey>();
  #renews = true;
  /** Busy with something else until its session is nearly over, or just over. */
  #oversleeps = false;
  readonly #follower: KvFollower;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#session = options.firstSession;
    this.#clientName = options.firstSession;
    this.#random = options.world.forks.named(`client/${options.firstSession}`);
    this.#kvRandom = options.world.forks.named(`kv/${options.firstSession}`);
    this.#repeats = options.world.forks.named(`repeats/${options.firstSession}`);
    this.#priorities = options.world.forks.named(`priorities/${options.firstSession}`);
    this.#renewals = options.world.forks.named(`renewals/${options.firstSession}`);
    this.#locks = new LockClient({
      random: options.world.forks.named(`lock-kinds/${options.firstSession}`),
      machine: options.machine,
      session: () => this.#session,
      ask: (command, answer) => this.#ask(command, answer),
      later: (delayMs, act) => this.#later(delayMs, act),
    });
    this.#follower = new KvFollower(options.world, options.firstSession, options.machine);
  }

  get #node(): NodeId {
    return this.#options.node.id;
  }

  start(): void {
    this.#openSession();
    this.#every(sessionTtlMs / 4, () => this.#renew());
    const { work } = this.#options.world.options;
    this.#often(work.lockEveryMs, () => this.#wantLock());
    this.#often(work.jobEveryMs, () => this.#submitJob());
    this.#often(work.kvEveryMs, () => this.#changeKeys(), this.#kvRandom);
    this.#often(work.lockEveryMs, () => this.#locks.want(), this.#kvRandom);
    if (work.lateRenewalEveryMs > 0) this.#often(work.lateRenewalEveryMs, () => this.#renewLate(), this.#renewals);
    if (work.pinEveryMs > 0) this.#often(work.pinEveryMs, () => this.#pin());
    if (work.readEveryMs > 0) this.#often(work.readEveryMs, () => this.read());
  }

  /** What an owner says about a machine. */
  pin(node: NodeId, pin: (typeof rankPins)[number]): void {
    this.#ask({ type: 'rank-pinned', node, pin, by: this.#node });
  }

  /** An owner changes their mind about a machine, this one or another. */
  #pin(): void {
    const { world } = this.#options;
    const node = pick(this.#random, world.nodes).id;
    this.pin(node, pick(this.#random, rankPins));
  }

  /** Several at once now and then: they share a round. */
  read(): void {
    const { machine, reads, world } = this.#options;
    for (let left = 1 + this.#random.below(3); left > 0; left--) {
      const ended = world.readBegan(this.#node);
      const [key, start] = [drawnKey(++this.#readKeys), world.queue.now];
      reads.submit((result) => {
        ended(result, machine.committed);
        const value = machine.state.kv.get(key)?.value ?? null;
        if (result.ok) world.readKey(this.#clientName, key, value, machine.committed, start);
      });
    }
  }

  stopRenewing(): void {
    this.#renews = false;
  }

  onEvent(event: NodeEvent): void {
    if (event.type === 'state-replaced') this.#reread();
    if (event.type === 'state-replaced' || event.type === 'applied') this.#follower.look();
    if (event.type !== 'applied') return;
    for (const change of event.events) this.#onChange(change);
  }

  #onChange(change: StateEvent): void {
    if (!('session' in change) || change.session !== this.#session) {
      if (change.type === 'attempt-ended') this.#attempts.delete(attemptName(change.key));
      return;
    }
    switch (change.type) {
      case 'attempt-assigned':
        this.#begin(change.key);
        break;
      case 'attempt-ended':
        this.#attempts.delete(attemptName(change.key));
        break;
      case 'session-ended':
        this.#reopen();
        break;
      default:
    }
  }

  /** After a snapshot events are missing: the state says what they would have. */
  #reread(): void {
    const { state } = this.#options.machine;
    if (this.#open && state.sessions.get(this.#session) === null) return this.#reopen();
    const live = state.tasks.attemptsOfSession(this.#session);
    const names = new Set(live.map(({ key }) => attemptName(key)));
    for (const name of [...this.#attempts.keys()]) if (!names.has(name)) this.#attempts.delete(name);
    for (const { key } of live) if (!this.#attempts.has(attemptName(key))) this.#begin(key);
  }

  #every(periodMs: number, act: () => void): void {
    this.#options.clock.setTimer(periodMs, () => {
      act();
      this.#every(periodMs, act);
    });
  }

  #often(meanMs: number, act: () => void, random = this.#random): void {
    this.#options.clock.setTimer(exponential(random, meanMs), () => {
      if (!this.#options.world.quiet && this.#open) act();
      this.#often(meanMs, act, random);
    });
  }

  #later(delayMs: number, act: () => void): void {
    this.#options.clock.setTimer(delayMs, act);
  }

  #ask(command: Command, answer: (result: Result<CommandResult>) => void = () => undefined): void {
    const { requests, world } = this.#options;
    const numbering = { sequence: 0 };
    this.#numbering = numbering;
    requests.submit(command, requestTimeoutMs, (result) => {
      world.acknowledged(this.#clientName, numbering.sequence, result);
      answer(result);
    });
  }
  #numbering = { sequence: 0 };

  /** The number that the request now being submitted got. */
  numbered(sequence: number): void {
    this.#numbering.sequence = sequence;
    this.#options.world.asked(this.#clientName, sequence);
    this.#options.world.keyValues.asked(this.#clientName, sequence);
  }

  #openSession(): void {
    const session = this.#session;
    const { supports } = this.#options;
    const program = { version: `0.${supports}`, supports };
    const capacity = {
      slots: 2,
      os: 'linux',
      arch: 'x64',
      memoryBytes: 8_000_000_000,
      accepts: { from: 'everyone' as const },
    };
    this.#ask(
      { type: 'session-opened', session, node: this.#node, name: this.#node, ttlMs: sessionTtlMs, capacity, program },
      (result) => {
        if (session !== this.#session) return;
        if (result.ok) this.#open = true;
        else this.#later(1_000, () => this.#reopen());
      },
    );
  }

  #reopen(): void {
    this.#open = false;
    this.#renewal = 0;
    this.#attempts.clear();
    this.#session = this.#options.node.nextSession();
    this.#openSession();
  }

  #renew(): void {
    if (!this.#open || !this.#renews || this.#oversleeps) return;
    this.#renewal += 1;
    const session = this.#session;
    this.#ask({ type: 'session-renewed', session, renewal: this.#renewal });
  }

  /** Renews now, and then at the very moment at which the coordinator counts the session as over. */
  #renewLate(): void {
    if (this.#oversleeps) return;
    this.#renew();
    this.#oversleeps = true;
    this.#later(sessionTtlMs + between(this.#renewals, -200, 600), () => {
      this.#oversleeps = false;
      this.#renew();
    });
  }

  #wantLock(): void {
    const { work } = this.#options.world.options;
    const name = lockName(`lock-${this.#random.below(work.lockNames)}`);
    const session = this.#session;
    const owner = `client:${++this.#owner}`;
    const wait = chance(this.#random, 0.7);
    const heldMs = exponential(this.#random, 1_500);
    this.#ask({ type: 'lock-requested', name, session, owner, label: 'edits', wait }, (result) => {
      if (result.ok && result.value.type === 'lock-granted') this.#hold(name, session, result.value.token, heldMs);
      else if (result.ok) this.#waitForLock(name, session, owner, heldMs);
      else if (result.failure.code !== 'precondition-failed') this.#abandon(name, session, owner);
    });
  }

  /** Looks now and then at the own copy of the state, as a person would; gives up after a while. */
  #waitForLock(name: LockName, session: SessionId, owner: string, heldMs: number, looks = 40): void {
    if (session !== this.#session) return;
    const holder = this.#options.machine.state.locks.holderOf(name, { session, owner });
    if (holder !== null) this.#hold(name, session, holder.token, heldMs);
    else if (looks === 0) this.#abandon(name, session, owner);
    else this.#later(250, () => this.#waitForLock(name, session, owner, heldMs, looks - 1));
  }

  #abandon(name: LockName, session: SessionId, owner: string): void {
    this.#ask({ type: 'lock-abandoned', name, session, owner });
  }

  #hold(name: LockName, session: SessionId, token: FencingToken, heldMs: number): void {
    const { world } = this.#options;
    if (!world.locks.effect(name, session, token)) return;
    if (heldMs > 200) this.#later(200, () => this.#hold(name, session, token, heldMs - 200));
    else this.#ask({ type: 'lock-released', name, session, token });
  }

  #changeKeys(): void {
    this.#ask(drawTransaction(this.#kvRandom, this.#node, this.#session, this.#options.machine));
  }

  #submitJob(): void {
    const { work } = this.#options.world.options;
    let unfinished = 0;
    for (const job of this.#options.machine.state.tasks.jobs()) if (job.endedAt === null) unfinished += 1;
    // People stop adding work to a long queue; without this the second act only works it off.
    if (unfinished >= unfinishedJobsMax) return;
    const lock = chance(this.#random, work.lockedJobShare) ? lockName('job-lock') : null;
    const spec: JobSpec = {
      name: 'job',
      argv: ['work', '{index}'],
      env: { MODE: 'test' },
      outputs: [],
      lock,
      retries: this.#random.below(3),
      timeoutMs: null,
      on: null,
      policy: pick(this.#random, ['least-loaded', 'round-robin'] as const),
      slots: 1 + this.#random.below(2),
      ...this.#drawPriority(),
    };
    const taskCount = 1 + this.#random.below(4);
    this.#ask({ type: 'job-submitted', submitter: this.#node, spec, taskCount, manifest }, (result) => {
      if (!result.ok || result.value.type !== 'job-accepted' || !chance(this.#random, work.cancelShare)) return;
      const { job } = result.value;
      this.#later(exponential(this.#random, 2_000), () => {
        this.#ask({
          type: 'tasks-cancelled',
          job,
          indices: chance(this.#random, 0.5) ? null : [0],
          by: 'someone',
          reason: 'changed my mind',
        });
      });
    });
  }

  /** Where only the newer program knows of priorities; elsewhere nothing is drawn and nobody asks for one. */
  #drawPriority(): Pick<JobSpec, 'priority'> {
    const { world, supports } = this.#options;
    const { priorityShare } = world.options.versions;
    if (supports < 2 || priorityShare === 0 || !chance(this.#priorities, priorityShare)) return {};
    return { priority: pick(this.#priorities, jobPriorities) };
  }

  #begin(key: AttemptKey): void {
    const name = attemptName(key);
    this.#attempts.set(name, key);
    const lock = this.#options.machine.state.tasks.job(key.job)?.spec.lock ?? null;
    if (lock === null) return this.#work(key);
    const session = this.#session;
    const owner = attemptOwner(key.job, key.index, key.attempt);
    this.#ask({ type: 'lock-requested', name: lock, session, owner, label: 'a task', wait: true }, (result) => {
      if (!this.#isMine(key, session)) return;
      if (result.ok) this.#awaitOwnerLock(key, session, lock, owner);
      else this.#finish(key, session, { type: 'broken', reason: 'no lock', retryable: true });
    });
  }

  #awaitOwnerLock(key: AttemptKey, session: SessionId, lock: LockName, owner: string): void {
    if (!this.#isMine(key, session)) return;
    const holder = this.#options.machine.state.locks.holderOf(lock, { session, owner });
    if (holder !== null) {
      this.#options.world.locks.effect(lock, session, holder.token);
      this.#work(key);
    } else this.#later(250, () => this.#awaitOwnerLock(key, session, lock, owner));
  }

  #isMine(key: AttemptKey, session: SessionId): boolean {
    return session === this.#session && this.#attempts.has(attemptName(key));
  }

  #work(key: AttemptKey): void {
    const { work } = this.#options.world.options;
    const session = this.#session;
    this.#ask({ type: 'attempts-progressed', session, changes: [{ ...key, state: 'running' }] });
    this.#later(exponential(this.#random, work.taskMs), () => {
      if (!this.#isMine(key, session)) return;
      this.#finish(key, session, this.#outcome(work.failShare));
    });
  }

  #outcome(failShare: number): AttemptOutcome {
    if (!chance(this.#random, failShare)) return { type: 'exited', exitCode: 0 };
    return pick<AttemptOutcome>(this.#random, [
      { type: 'exited', exitCode: 1 },
      { type: 'signalled', signal: 'SIGKILL' },
      { type: 'broken', reason: 'inputs are missing', retryable: true },
      { type: 'timed-out' },
    ]);
  }

  /** Told until the log has it; the outcome of an attempt that has been ended meanwhile is refused there. */
  #finish(key: AttemptKey, session: SessionId, outcome: AttemptOutcome): void {
    const { repeatedResultShare } = this.#options.world.options.work;
    if (repeatedResultShare > 0 && chance(this.#repeats, repeatedResultShare)) this.#reportAgain(key, session);
    this.#ask({ type: 'attempts-finished', session, results: [{ ...key, outcome, outputs: null }] }, (result) => {
      const again =
        !result.ok &&
        (result.failure.code === 'limit-reached' ||
          result.failure.code === 'unknown-outcome' ||
          result.failure.code === 'no-coordinator');
      if (again && this.#isMine(key, session)) this.#later(1_000, () => this.#finish(key, session, outcome));
    });
  }

  /** A report that went astray and comes in late, when another attempt may be live. */
  #reportAgain(key: AttemptKey, session: SessionId): void {
    this.#later(exponential(this.#repeats, 4_000), () => {
      const outcome: AttemptOutcome = { type: 'exited', exitCode: 0 };
      this.#ask({ type: 'attempts-finished', session, results: [{ ...key, outcome, outputs: null }] });
    });
  }
}
