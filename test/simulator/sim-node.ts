import { nodeId, wallTime, type NodeId, type SessionId } from '../../shared/domain/ids.ts';
import { fail, type Failure } from '../../shared/domain/failure.ts';
import { foundingSnapshot } from '../../src-main/core/node/founding.ts';
import { createNode, type NodeMachine } from '../../src-main/core/node/node.ts';
import type { NodeEvent, NodeInput } from '../../src-main/core/node/messages.ts';
import { supportedLevel } from '../../src-main/core/levels/feature-levels.ts';
import type { Logger } from '../../src-main/ports/logger.ts';
import type { FrameTransport } from '../../src-main/ports/transport.ts';
import { createDriver, type Driver } from '../../src-main/runtime/driver.ts';
import { ReadIndex } from '../../src-main/runtime/read-index.ts';
import { Requests } from '../../src-main/runtime/requests.ts';
import { decodeJournal, encodeSnapshot } from '../../src-main/wire/facts.ts';
import type { Run } from './checkers/checker.ts';
import { SimClient } from './client.ts';
import { SimDisk } from './disk.ts';
import { heardByOlder, readableByOlder } from './older-program.ts';
import { SimClock } from './sim-clock.ts';
import type { World } from './world.ts';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Process extends Run {
  readonly driver: Driver;
  readonly requests: Requests;
  readonly reads: ReadIndex;
  readonly client: SimClient;
  alive: boolean;
}

/** A transport whose frames are heard as another program hears them. */
const heardBy = (hear: (frame: Uint8Array) => readonly Uint8Array[], transport: FrameTransport): FrameTransport => ({
  ...transport,
  onFrame: (handler) =>
    transport.onFrame((from, frame) => {
      for (const heard of hear(frame)) handler(from, heard);
    }),
});

/** A machine: a disk and clocks that last, and a node process that comes and goes. */
export class SimNode {
  readonly id: NodeId;
  readonly disk: SimDisk;
  readonly clock: SimClock;
  /** Its owner has put it to rest, asleep or shut down: nobody restarts it until it is wanted. */
  retired = false;
  readonly #world: World;
  #incarnation = 1;
  #boot = 0;
  #backup: readonly Uint8Array[] = [];
  #process: Process | null = null;

  constructor(world: World, index: number) {
    this.#world = world;
    this.id = nodeId(`node-${'abcdefghij'[index] ?? index}`);
    const { options, forks, queue } = world;
    const own = forks.named(`machine/${index}`);
    this.disk = new SimDisk(queue, forks.named(`disk/${index}`), options.disk);
    this.clock = new SimClock(queue, {
      drift: (own.next() * 2 - 1) * options.machine.drift,
      stopsInSleep: own.next() < 0.5,
    });
  }

  get run(): Run | null {
    return this.#process;
  }

  get machine(): NodeMachine | null {
    return this.#process?.machine ?? null;
  }

  get client(): SimClient | null {
    return this.#process?.client ?? null;
  }

  get pendingCount(): number {
    return (this.#process?.requests.pendingCount ?? 0) + (this.#process?.reads.pendingCount ?? 0);
  }

  get up(): boolean {
    return this.#process !== null;
  }

  /** Starts the swarm on this machine. */
  found(): void {
    this.disk.records = encodeSnapshot(
      foundingSnapshot({ node: this.id, incarnation: this.incarnation }, 100, this.#world.versions.foundedLevel),
    );
  }

  /** Of its present state directory. */
  get incarnation(): string {
    return `i${this.#incarnation}`;
  }

  /** Keeps a copy of the disk, which is all that a backup is. */
  backUp(): void {
    this.#backup = this.disk.records;
  }

  /** The state directory was lost, or came back as a copy of what it once was: either way it is a new one. */
  renewDirectory(how: 'wiped' | 'restored'): void {
    this.disk.records = how === 'wiped' ? [] : this.#backup;
    this.#incarnation += 1;
    this.#boot = 0;
  }

  tell(input: NodeInput): void {
    this.#process?.driver.input(input);
  }

  /** The next session or client name of this state directory. */
  nextSession(): SessionId {
    this.#boot += 1;
    return `${this.id}#${this.incarnation}.${this.#boot}` as SessionId;
  }

  start(): void {
    if (this.#process !== null) return;
    const world = this.#world;
    if (this.disk.full) return world.restartLater(this);
    const recovered = decodeJournal(this.disk.records);
    if (!recovered.ok) return world.broken('recovery', `${this.id}: ${recovered.failure.message}`);
    world.versions.booting(this);
    const supports = world.versions.supportedBy(this.id);
    const isOlder = supports < supportedLevel;
    if (isOlder && !readableByOlder(recovered.value.facts)) return world.versions.isTooOld(this);
    const session = this.nextSession();
    const boot = this.#boot;
    const self = { node: this.id, incarnation: this.incarnation };
    const lives = (): boolean => this.#process === process;
    const clock = this.clock.forProcess(() => lives());
    const { voterSilentMs, voterStableMs } = world.options.upheaval;
    const machine = createNode({
      self,
      recovered: recovered.value,
      seed: world.forks.seedOf(`node/${this.id}/${boot}`),
      members: world.members,
      supports,
      timing: { ...world.options.timing, voterSilentMs, voterStableMs },
      wall: () => wallTime(clock.wall() + world.calendarMs),
    });
    const transport = world.network.attach(this.id, () => this.clock.asleepUntil);
    const driver = createDriver({
      node: {
        step: (now, input) => {
          const effects = machine.step(now, input);
          world.stepped(process, input, effects);
          return effects;
        },
        durableFacts: () => machine.durableFacts(),
      },
      journal: this.disk.open(),
      transport: isOlder ? heardBy(heardByOlder, transport) : transport,
      clock,
      logger: silent,
      onEvent: (event) => this.#onEvent(process, event),
      onFailed: (failure) => this.#onFailed(process, failure),
    });
    const requests = new Requests({
      client: session,
      clock,
      submit: (request) => {
        client.numbered(request.sequence);
        driver.input({ type: 'requested', requests: [request] });
      },
      hasCoordinator: () => machine.coordinator !== null,
    });
    const reads = new ReadIndex((id) => driver.input({ type: 'read-requested', ids: [id] }));
    const client = new SimClient({
      node: this,
      world,
      clock,
      requests,
      reads,
      machine,
      supports,
      firstSession: session,
    });
    const process: Process = {
      node: this.id,
      incarnation: self.incarnation,
      boot,
      supports,
      machine,
      driver,
      requests,
      reads,
      client,
      alive: true,
    };
    this.#process = process;
    world.line(`${this.id} boots as ${session} at slot ${machine.committed}`);
    world.booted(process);
    driver.start();
    client.start();
    world.disks.started(this);
  }

  #onEvent(process: Process, event: NodeEvent): void {
    if (this.#process !== process) return;
    if (event.type !== 'applied') this.#world.noteEvent(process, event);
    if (event.type === 'diverged' && event.divergence.node === this.id && event.divergence.settled)
      return this.#becomeSuspect(process);
    if (event.type === 'outdated') return this.#becomeOutdated(process);
    process.requests.onEvent(event);
    process.reads.onEvent(event);
    process.client.onEvent(event);
  }

  #onFailed(process: Process, failure: Failure): void {
    if (this.#process !== process) return;
    this.#world.line(`${this.id} halts: ${failure.code} ${failure.message}`);
    if (failure.code === 'internal') this.#world.broken('assertion', `${this.id}: ${failure.message}`);
    process.requests.end(failure);
    process.reads.end(failure);
    this.stop(false);
    if (failure.code === 'disk-failed' && this.#world.disks.failed(this))
      this.#world.line(`${this.id} trusts its disk no more`);
    this.#world.restartLater(this);
  }

  /** It stays as it is until somebody updates it. */
  #becomeOutdated(process: Process): void {
    const failure = fail('unsupported-version', 'this machine is too old for the swarm').failure;
    process.requests.end(failure);
    process.reads.end(failure);
    this.#world.versions.isTooOld(this);
  }

  /** What it has is put aside: it comes back as another voter, from what the others have. */
  #becomeSuspect(process: Process): void {
    const failure = fail('corrupt', 'this machine has something else than the others').failure;
    process.requests.end(failure);
    process.reads.end(failure);
    this.stop(false);
    this.#world.renew(this);
    this.#world.restartLater(this);
  }

  /** An input from this machine's owner or operating system. */
  input(input: NodeInput): void {
    this.#process?.driver.input(input);
  }

  /** Ends the process: killed, or with the whole machine when power is lost. */
  stop(powerLost: boolean): void {
    const process = this.#process;
    if (process === null) return;
    process.alive = false;
    this.#process = null;
    process.driver.stop();
    this.#world.network.detach(this.id, powerLost);
    this.disk.crash();
    this.clock.wakeNow();
    this.#world.line(`${this.id} stops${powerLost ? ' without power' : ''}`);
  }
}
