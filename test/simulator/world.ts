import type { Result } from '../../shared/domain/failure.ts';
import type { NodeId, Slot } from '../../shared/domain/ids.ts';
import { supportedLevel } from '../../src-main/core/levels/feature-levels.ts';
import type { NodeEvent, NodeInput, NodeMessage } from '../../src-main/core/node/messages.ts';
import type { CommandResult } from '../../src-main/core/state-machine/command.ts';
import { takeSnapshot } from '../../src-main/core/state-machine/snapshot.ts';
import type { NodeEffect } from '../../src-main/runtime/outbox.ts';
import { decodeFrame } from '../../src-main/wire/frame.ts';
import type { Operation } from '../checkers/history.ts';
import { Agreement } from './checkers/agreement.ts';
import { Alteration } from './alteration.ts';
import { Ballots, Choice } from './checkers/ballots.ts';
import { Divergences } from './checkers/divergences.ts';
import { EpochChanges } from './checkers/epochs.ts';
import { Configurations } from './checkers/configurations.ts';
import type { AgreedEntry, Checker, Run } from './checkers/checker.ts';
import { FeatureLevels } from './checkers/feature-levels.ts';
import { Histories } from './checkers/histories.ts';
import { KeyValues } from './checkers/key-values.ts';
import { LockKinds } from './checkers/lock-kinds.ts';
import { Locks } from './checkers/locks.ts';
import { Reads } from './checkers/reads.ts';
import { Requests } from './checkers/requests.ts';
import { Seats } from './checkers/seats.ts';
import { Stickiness } from './checkers/stickiness.ts';
import { Tasks } from './checkers/tasks.ts';
import { DiskTroubles } from './disk-troubles.ts';
import { Drill } from './drill.ts';
import { EventQueue } from './event-queue.ts';
import { chance, exponential, Forks } from './forks.ts';
import { householdOptions, households, type Life } from './household.ts';
import { liveThrough, type HouseholdReport } from './living.ts';
import { MachineTroubles } from './machine-troubles.ts';
import { NetworkTroubles } from './network-troubles.ts';
import { SimNetwork } from './network.ts';
import { drawAlteration, drawDrill, drawOptions, type SimOptions } from './options.ts';
import { showEffect, showEvent, showInput } from './show.ts';
import { SimNode } from './sim-node.ts';
import { Transcript } from './transcript.ts';
import { Upheaval } from './upheaval.ts';
import { Versions } from './versions.ts';

export interface Violation {
  readonly claim: string;
  readonly detail: string;
  readonly atMs: number;
}

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  /** What a household lived through; null for a storm. */
  readonly household: HouseholdReport | null;
  readonly simulatedMs: number;
  readonly slots: number;
  readonly lines: number;
  readonly hash: string;
  readonly tail: readonly string[];
  /** What clients did and were told. */
  readonly history: readonly Operation[];
  /** Windows of it that were searched for a legal order, and those of them that were too tangled. */
  readonly searched: { readonly windows: number; readonly undecided: number };
  /** Entries until altered memory was found; null when it was not, absent when none was altered. */
  readonly foundAfter: number | null | undefined;
  /** Its voters were chosen when the disks of most of them had just gone: progress was not asked of it. */
  readonly bereft: boolean;
}

/** A named household of `household.ts` and how long to live in it. */
export interface Household extends Life {
  readonly name: string;
}

function habitsOf({ name }: Household): NonNullable<(typeof households)[string]> {
  const habits = households[name];
  if (habits === undefined)
    throw new Error(`there is no household "${name}"; there are: ${Object.keys(households).join(', ')}`);
  return habits;
}

/** After the storm, work that is left over must move at least this often; far above what a calm network needs. */
const stuckMs = 120_000;
/** Every request asked this long after the storm is answered before its time is up. */
const calmMs = 60_000;
/** However much is left over, it ends within this. */
const progressMs = 7_200_000;
/** Without renewals for this long, replicas settle; well below a session's time to live. */
const settleMs = 6_000;

/** A storm; one in which a new quorum is forced; one in which the memory of a machine is altered. */
type WorldKind = 'storm' | 'drill' | 'alteration';

function optionsOf(forks: Forks, kind: WorldKind): SimOptions {
  switch (kind) {
    case 'storm':
      return drawOptions(forks);
    case 'drill':
      return drawDrill(forks);
    case 'alteration':
      return drawAlteration(forks);
  }
}

/** One seed's world: machines, network, people, faults, and the checkers that watch. */
export class World {
  readonly queue = new EventQueue();
  readonly forks: Forks;
  readonly options: SimOptions;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly locks: Locks;
  readonly keyValues: KeyValues;
  readonly versions: Versions;
  readonly levels: FeatureLevels;
  readonly #seed: number;
  readonly #household: Household | null;
  readonly #transcript: Transcript;
  /** Every step has a line; months of a household have them only in a replay that is printed. */
  readonly #stepsShown: boolean;
  readonly #agreement: Agreement;
  readonly #tasks: Tasks;
  readonly #requests: Requests;
  readonly #histories: Histories;
  readonly #members = new Set<NodeId>();
  readonly #configurations: Configurations;
  readonly #upheaval: Upheaval;
  readonly #networkTroubles: NetworkTroubles;
  readonly #drill: Drill | null;
  readonly #alteration: Alteration | null;
  readonly #divergences: Divergences;
  readonly #reads: Reads;
  readonly disks: DiskTroubles;
  readonly #checkers: readonly Checker[];
  #violation: Violation | null = null;
  #storm = true;
  #calendarMs = 0;
  #stormEndedAt = 0;
  /** Left down when the storm ends: a minority of the voters. */
  readonly #abandoned = new Set<NodeId>();

  constructor(seed: number, print: boolean, household: Household | null = null, kind: WorldKind = 'storm') {
    const drill = kind === 'drill';
    this.#seed = seed;
    this.#household = household;
    this.forks = new Forks(seed);
    const drawn = optionsOf(this.forks, kind);
    this.options = household === null ? drawn : householdOptions(drawn, habitsOf(household).length);
    this.#transcript = new Transcript(print);
    this.#stepsShown = print || household === null;
    const broken = (claim: string, detail: string): void => this.broken(claim, detail);
    // A recovery takes back what was agreed: whoever judges one log from its beginning is not asked in a drill.
    // One whose memory was altered answers as nobody should, until it is found.
    const settled = kind === 'storm' ? broken : (): void => undefined;
    this.#agreement = new Agreement(settled, (entry) => this.#agreed(entry));
    this.locks = new Locks(settled, this.options.machine.drift);
    this.keyValues = new KeyValues(settled);
    this.#tasks = new Tasks(settled);
    this.#requests = new Requests(settled);
    this.#histories = new Histories(settled);
    const configurations = new Configurations(
      broken,
      () => this.queue.now,
      () => this.members,
    );
    this.#configurations = configurations;
    this.#upheaval = new Upheaval(this, configurations, this.#members);
    this.#reads = new Reads(settled);
    const versions = new Versions(this);
    this.versions = versions;
    this.levels = new FeatureLevels(broken, versions.foundedLevel, {
      settledMembers: () => this.#upheaval.settledMembers,
      supportedBy: (node) => versions.supportedBy(node),
      wasDowngraded: (node) => versions.wasDowngraded(node),
    });
    this.disks = new DiskTroubles(this, this.#upheaval);
    const epochs = new EpochChanges(broken);
    this.#drill = drill ? new Drill(this, epochs) : null;
    const divergences = new Divergences(broken);
    this.#divergences = divergences;
    this.#alteration = kind === 'alteration' ? new Alteration(this, divergences) : null;
    this.#checkers = drill
      ? [new Ballots(broken), divergences, epochs]
      : [
          divergences,
          configurations,
          this.#agreement,
          new Ballots(broken),
          new Choice(broken),
          new Seats(broken),
          new Stickiness(broken, () => this.queue.now),
          this.locks,
          this.keyValues,
          new LockKinds(settled, this.options.machine.drift),
          this.#tasks,
          this.#requests,
          this.#histories,
          this.levels,
        ];
    this.network = new SimNetwork(this.queue, this.forks.named('network'), this.options.network, (from, to, frame) => {
      this.#observeFrame(from, to, frame);
    });
    this.nodes = Array.from({ length: this.options.nodes }, (_, index) => new SimNode(this, index));
    for (const node of this.nodes) this.#members.add(node.id);
    this.#networkTroubles = new NetworkTroubles(this);
  }

  /** Both acts. */
  run(): Outcome {
    this.#begin();
    const { options } = this;
    const lived = this.#household;
    const household = lived === null ? null : liveThrough(this, habitsOf(lived), lived);
    if (lived === null) this.runUntil(options.stormMs);
    this.#stormEndedAt = this.queue.now;
    this.#heal();
    this.#finish();
    const searched = this.#violation === null ? this.#histories.judge() : { windows: 0, undecided: 0 };
    return {
      seed: this.#seed,
      violation: this.#violation,
      household,
      simulatedMs: this.queue.now,
      slots: this.#agreement.log.length,
      lines: this.#transcript.count,
      hash: this.#transcript.hash,
      tail: this.#transcript.tail(60),
      history: this.#histories.operations,
      searched,
      foundAfter: this.#divergences.foundAfter,
      bereft: this.#configurations.isBereft,
    };
  }

  /** Who belongs to the swarm, as its admins see it. */
  get members(): readonly NodeId[] {
    return [...this.#members];
  }

  /** The storm is over: people begin nothing new. */
  get quiet(): boolean {
    return !this.#storm;
  }

  broken(claim: string, detail: string): void {
    if (claim === 'progress' && this.#configurations.isBereft) return;
    this.#violation ??= { claim, detail, atMs: this.queue.now };
    this.line(`VIOLATION ${claim}: ${detail}`);
  }

  /** What everybody's calendar is ahead of the time that was simulated. */
  get calendarMs(): number {
    return this.#calendarMs;
  }

  turnCalendars(byMs: number): void {
    this.#calendarMs += byMs;
  }

  line(text: string): void {
    this.#transcript.line(this.queue.now, text);
  }

  booted(run: Run): void {
    for (const checker of this.#checkers) checker.onBoot?.(run);
  }

  stepped(run: Run, input: NodeInput, effects: readonly NodeEffect[]): void {
    if (this.#stepsShown) this.line(`${run.node} ${showInput(input)} -> ${effects.map(showEffect).join(' ')}`);
    if (input.type === 'received' && input.from === run.node) this.#sent(run, input.message);
    for (const checker of this.#checkers) checker.onStep?.(run, input, effects);
    this.#networkTroubles.pursuit.stepped(effects);
    for (const effect of effects) {
      if (effect.type !== 'emit' || effect.event.type !== 'applied') continue;
      for (const checker of this.#checkers) checker.onApplied?.(run, effect.event);
    }
  }

  noteEvent(run: Run, event: NodeEvent): void {
    this.line(`${run.node} ${showEvent(event)}`);
  }

  asked(client: string, sequence: number): void {
    this.#histories.asked(client, sequence, this.queue.now);
  }

  /** A linearizable read of one key ended. */
  readKey(client: string, key: string, value: string | null, index: number, start: number): void {
    this.#histories.read(client, key, value, index, start, this.queue.now);
  }

  acknowledged(client: string, sequence: number, result: Result<CommandResult>): void {
    this.#requests.acknowledged(client, sequence, result);
    if (!result.ok && result.failure.code === 'unsupported-version') this.levels.refused(client, sequence);
    this.#histories.answered(client, sequence, result, this.queue.now);
    this.keyValues.acknowledged(client, sequence, result);
    const late =
      !result.ok && (result.failure.code === 'no-coordinator' || result.failure.message.startsWith('No answer'));
    if (late && this.#drill === null && !this.#storm && this.queue.now > this.#stormEndedAt + calmMs) {
      this.broken('progress', `request ${sequence} of ${client}: ${result.failure.message}`);
    }
  }

  /** A linearizable read begins at a machine. Answers what to call with its result and the slot of the state read then. */
  readBegan(node: NodeId): (result: Result<Slot>, stateSlot: Slot) => void {
    const floor = this.#agreement.log.length;
    const ended = this.#reads.began(node, floor);
    return (result, stateSlot) => {
      ended(result, stateSlot);
      if (!result.ok && !this.#storm && this.queue.now > this.options.stormMs + calmMs)
        this.broken('progress', `a read of ${node}: ${result.failure.message}`);
    };
  }

  /** The state directory of a machine that is down begins anew. */
  renew(node: SimNode): void {
    this.#upheaval.renew(node, 'wiped');
  }

  restartLater(node: SimNode): void {
    this.queue.after(
      exponential(this.forks.named(`restart/${node.id}/${this.queue.now}`), this.options.machine.downMs),
      () => {
        if (this.#drill?.isGivenUp(node.id) === true) return this.restartLater(node);
        if (!this.#abandoned.has(node.id) && this.#members.has(node.id) && !node.retired) node.start();
      },
    );
  }

  #agreed(entry: AgreedEntry): void {
    for (const checker of this.#checkers) checker.onAgreed?.(entry, this.queue.now);
  }

  #sent(run: Run, message: NodeMessage): void {
    for (const checker of this.#checkers) checker.onSent?.(run, message);
  }

  #observeFrame(from: NodeId, to: NodeId, bytes: Uint8Array): void {
    const run = this.nodes.find((node) => node.id === from)?.run;
    const frame = decodeFrame(bytes);
    if (!frame.ok)
      return this.broken('wire', `${from} sends ${to} a frame that nobody can read: ${frame.failure.message}`);
    if (run === null || run === undefined) return;
    for (const message of frame.value.messages) this.#sent(run, message);
  }

  #begin(): void {
    this.versions.schedule();
    const [founder, ...others] = this.nodes;
    founder?.found();
    founder?.start();
    const joining = this.forks.named('joining');
    for (const node of others) this.queue.after(joining.next() * 10_000, () => node.start());
    new MachineTroubles(this).schedule();
    this.#networkTroubles.schedule();
    this.disks.schedule();
    this.#upheaval.schedule();
    this.#drill?.schedule();
    this.#alteration?.schedule();
  }

  /** Something that happens again and again at random moments while the storm lasts; never with a mean of 0. */
  often(name: string, meanMs: number, act: (random: ReturnType<Forks['named']>) => void): void {
    if (meanMs === 0) return;
    const random = this.forks.named(`fault/${name}`);
    const next = (): void => {
      this.queue.after(exponential(random, meanMs), () => {
        if (!this.#storm) return;
        act(random);
        next();
      });
    };
    next();
  }

  /** The second act begins: everything works again, except for a minority of the voters in some seeds. */
  #heal(): void {
    if (this.#violation !== null) return;
    this.#storm = false;
    this.line('the storm is over');
    if (this.#drill === null) this.#abandonMinority();
    for (const node of this.nodes) {
      node.clock.wakeNow();
      if (this.#abandoned.has(node.id)) node.stop(true);
    }
    this.network.calm();
    this.disks.heal();
    this.#upheaval.heal();
    this.versions.heal();
    this.#drill?.heal();
    for (const node of this.nodes) if (!this.#abandoned.has(node.id)) node.start();
  }

  #abandonMinority(): void {
    const random = this.forks.named('abandon');
    if (!chance(random, 0.3)) return;
    const configs = this.nodes.flatMap((node) => node.machine?.config ?? []);
    const newest = configs.sort((left, right) => right.id - left.id)[0];
    // A configuration that nobody here has heard of may need any machine: then none is left behind.
    if (
      newest === undefined ||
      this.nodes.some((node) => !node.up) ||
      configs.some((config) => config.id !== newest.id)
    )
      return;
    // A seat whose state directory was lost is as good as left behind already.
    for (const voter of newest.voters.slice(0, Math.max(0, this.#upheaval.spare))) this.#abandoned.add(voter.node);
  }

  #finish(): void {
    const deadline = this.queue.now + progressMs;
    let changes = this.#tasks.changes;
    let changedAt = this.queue.now;
    for (let unfinished = this.#unfinished(); unfinished !== null; unfinished = this.#unfinished()) {
      this.runUntil(this.queue.now + 1_000);
      if (this.#violation !== null) return;
      if (this.#tasks.changes !== changes) {
        changes = this.#tasks.changes;
        changedAt = this.queue.now;
      } else if (this.queue.now - changedAt > stuckMs || this.queue.now > deadline) {
        return this.broken('progress', `nothing ended for ${stuckMs / 1_000} s after the storm, and ${unfinished}`);
      }
    }
    for (const node of this.nodes) node.client?.stopRenewing();
    this.runUntil(this.queue.now + settleMs);
    // Somebody may just have let a lock go: its entry is then on its way.
    for (let looks = 0; looks < 20 && !this.#levelled; looks++) this.runUntil(this.queue.now + 250);
    this.#compareReplicas();
  }

  get isBroken(): boolean {
    return this.#violation !== null;
  }

  runUntil(time: number): void {
    while (this.#violation === null && this.queue.next(time));
  }

  isAbandoned(node: NodeId): boolean {
    return this.#abandoned.has(node);
  }

  /** What still waits, in words; null when nothing does. */
  #unfinished(): string | null {
    const live = this.nodes.filter((node) => node.up);
    const down = this.nodes.find((node) => !node.up && !this.#abandoned.has(node.id));
    if (down !== undefined) return `${down.id} is down`;
    const asking = live.find((node) => node.pendingCount > 0);
    if (asking !== undefined) return `${asking.id} has ${asking.pendingCount} requests unanswered`;
    const [first] = live;
    const state = first?.machine?.state;
    if (state === undefined || this.#drill !== null) return null;
    for (const job of this.#tasks.accepted) {
      const known = state.tasks.job(job);
      if (known === null) return `job ${job} is unknown to ${first?.id ?? ''}`;
      if (known.endedAt === null) return `job ${job} is ${known.state}: ${JSON.stringify(known.counts)}`;
    }
    const { level } = this.levels;
    if (this.versions.isUniform && this.#abandoned.size === 0 && level < supportedLevel)
      return `the swarm is still at level ${level}, though every machine supports ${supportedLevel}`;
    return null;
  }

  get #levelled(): boolean {
    const slots = this.nodes.flatMap((node) => node.machine?.committed ?? []);
    return slots.every((slot) => slot === slots[0]);
  }

  #compareReplicas(): void {
    const live = this.nodes.flatMap((node) => (node.machine === null ? [] : [{ id: node.id, machine: node.machine }]));
    const [first, ...others] = live;
    if (first === undefined) return;
    const expected = takeSnapshot(first.machine.state);
    for (const other of others) {
      if (other.machine.committed !== first.machine.committed) {
        this.broken(
          'convergence',
          `${first.id} is at slot ${first.machine.committed}, ${other.id} at ${other.machine.committed}`,
        );
      } else if (takeSnapshot(other.machine.state) !== expected) {
        this.broken(
          'convergence',
          `${first.id} and ${other.id} hold different states at slot ${first.machine.committed}`,
        );
      }
    }
  }
}

export const simulate = (seed: number, print = false, household: Household | null = null): Outcome =>
  new World(seed, print, household).run();

/** In the middle of the storm machines are given up and a new quorum is forced; see `drill.ts`. */
export const simulateDrill = (seed: number, print = false): Outcome => new World(seed, print, null, 'drill').run();

/** The memory of one machine is altered, and it must be found and replaced; see `alteration.ts`. */
export const simulateAlteration = (seed: number, print = false): Outcome =>
  new World(seed, print, null, 'alteration').run();
