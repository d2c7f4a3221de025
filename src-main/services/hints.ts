import { cpus } from 'node:os';
import type { NodeId, SessionId } from '../../shared/domain/ids.ts';
import type { Instant } from '../core/machine/time.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { Broadcast } from '../ports/broadcast.ts';
import type { Clock } from '../ports/clock.ts';
import { parseJson } from './node-record.ts';
import { isRecord } from './stream-messages.ts';

export const loadTopic = 'skein/load/1';
/** Between looks whether there is news. One message in two seconds per machine keeps 50 far below what gossip carries. */
const lookMs = 2_000;
/** Without news others are told this often: each message is signed once and checked by everybody. */
const calmPublishMs = 6_000;
/** What counts as news: a tenth of all cores, or entries that came in meanwhile. */
const loadNews = 0.1;
const slotsNews = 20;
const pingMs = 10_000;
/** Looks between measurements of a round trip that is known: a ping opens a stream. */
const looksPerRoundTrip = 6;
/** A statement older than this says nothing about now. */
const staleMs = 15_000;
const messageBytesMax = 256;

export interface LoadStatement {
  /** 0 to 1 of all cores. */
  readonly load: number;
  readonly running: number;
  readonly heardAt: Instant;
}

/** What a machine says of its copy of the log. */
export interface ReplicaStatement {
  readonly slot: number;
  readonly sync: { readonly p50Ms: number; readonly p99Ms: number } | null;
  readonly ageMs: number;
}

export interface HintsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly connected: () => readonly NodeId[];
  readonly isMember: (node: NodeId) => boolean;
  readonly running: () => number;
  /** How far this machine has the log, and how fast its disk is: told to the others for their screens. */
  readonly committed: () => number;
  readonly sync: () => { readonly p50Ms: number; readonly p99Ms: number } | null;
  readonly ping: (node: NodeId) => Promise<number | null>;
  readonly loadHeard: (node: NodeId, load: number) => void;
}

/** What is known of other machines without any promise: load, round trips, when they were last here. */
export class Hints {
  readonly #options: HintsOptions;
  readonly #loads = new Map<NodeId, LoadStatement>();
  readonly #replicas = new Map<NodeId, Omit<ReplicaStatement, 'ageMs'> & { readonly heardAt: Instant }>();
  readonly #roundTrips = new Map<NodeId, number>();
  readonly #lastSeen = new Map<NodeId, number>();
  /** When this machine saw a session's last sign of life applied. */
  readonly #renewals = new Map<SessionId, Instant>();
  #cancelLook: (() => void) | null = null;
  #published: Published | null = null;
  #cancelPing: (() => void) | null = null;
  #pingLooks = 0;
  #coordinatorLostAt: Instant | null;
  #coreTimes = coreTimes();
  #coordinatorSince = { at: 0, reason: '' };

  constructor(options: HintsOptions) {
    this.#options = options;
    this.#coordinatorLostAt = options.clock.now();
    options.broadcast.subscribe(loadTopic, (from, bytes) => this.#heard(from, bytes));
  }

  start(): void {
    this.#look();
    this.#pingAll();
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelPing?.();
  }

  load(node: NodeId): LoadStatement | null {
    const statement = this.#loads.get(node);
    return statement === undefined || this.#options.clock.now() - statement.heardAt > staleMs ? null : statement;
  }

  loadAgeMs(node: NodeId): number | null {
    const statement = this.#loads.get(node);
    return statement === undefined ? null : this.#options.clock.now() - statement.heardAt;
  }

  /** What a machine last said of its copy of the log, with the age of it; null when it never did. */
  replica(node: NodeId): ReplicaStatement | null {
    const said = this.#replicas.get(node);
    if (said === undefined) return null;
    return { slot: said.slot, sync: said.sync, ageMs: this.#options.clock.now() - said.heardAt };
  }

  roundTripMs(node: NodeId): number | null {
    return this.#options.connected().includes(node) ? (this.#roundTrips.get(node) ?? null) : null;
  }

  /** Wall time at which the machine was last connected; null when never in this run. */
  lastSeen(node: NodeId): number | null {
    return this.#lastSeen.get(node) ?? null;
  }

  seen(node: NodeId): void {
    this.#lastSeen.set(node, this.#options.clock.wall());
  }

  heard(event: NodeEvent): void {
    if (event.type === 'coordinator-changed') {
      this.coordinatorHeard(event.coordinator !== null);
      if (event.coordinator !== null) this.#coordinatorSince = { at: this.#options.clock.wall(), reason: event.reason };
    }
    if (event.type !== 'applied') return;
    const command = event.request?.command;
    if (command?.type === 'session-opened' || command?.type === 'session-renewed')
      this.#renewals.set(command.session, this.#options.clock.now());
    for (const change of event.events) if (change.type === 'session-ended') this.#renewals.delete(change.session);
  }

  /** Since when this machine knows of the present coordinator, and why it is the one. */
  coordinatorSince(): { readonly at: number; readonly reason: string } {
    return this.#coordinatorSince;
  }

  /** What is left of a session's lease, by its last renewal seen here; null when none was. */
  leaseLeftMs(session: SessionId, ttlMs: number): number | null {
    const seen = this.#renewals.get(session);
    return seen === undefined ? null : Math.max(0, ttlMs - (this.#options.clock.now() - seen));
  }

  coordinatorHeard(isHeard: boolean): void {
    this.#coordinatorLostAt = isHeard ? null : (this.#coordinatorLostAt ?? this.#options.clock.now());
  }

  /** 0 while a coordinator is heard. */
  coordinatorSilentMs(): number {
    return this.#coordinatorLostAt === null ? 0 : this.#options.clock.now() - this.#coordinatorLostAt;
  }

  /** Measures this machine, and tells the others when that is news. */
  #look(): void {
    const { clock, connected, running, self, loadHeard, committed } = this.#options;
    const load = this.#ownLoad();
    this.#loads.set(self, { load, running: running(), heardAt: clock.now() });
    loadHeard(self, load);
    const now = { load, running: running(), slot: committed(), listeners: connected().length, at: clock.now() };
    if (this.#published === null || isNews(now, this.#published)) {
      this.#published = now;
      this.#publish(now);
    }
    this.#cancelLook = clock.setTimer(lookMs, () => this.#look());
  }

  #publish({ load, running, slot }: Published): void {
    const statement = { load: Math.round(load * 100) / 100, running, slot, ...roundedSync(this.#options.sync()) };
    this.#options.broadcast.publish(loadTopic, Buffer.from(JSON.stringify(statement)));
  }

  /** The share of all cores that worked since the last call: says the same on every system. */
  #ownLoad(): number {
    const before = this.#coreTimes;
    const now = coreTimes();
    this.#coreTimes = now;
    return now.all > before.all ? Math.min(1, Math.max(0, (now.busy - before.busy) / (now.all - before.all))) : 0;
  }

  #heard(from: NodeId, bytes: Uint8Array): void {
    const { clock, isMember, loadHeard } = this.#options;
    if (bytes.length > messageBytesMax || !isMember(from)) return;
    const message = parseJson(Buffer.from(bytes).toString('utf8'));
    if (!isRecord(message) || typeof message['load'] !== 'number' || typeof message['running'] !== 'number') return;
    const load = Math.min(1, Math.max(0, message['load']));
    this.#loads.set(from, { load, running: Math.max(0, Math.floor(message['running'])), heardAt: clock.now() });
    loadHeard(from, load);
    const { slot, sync50, sync99 } = message;
    // Absent from machines of an earlier version.
    if (typeof slot !== 'number' || !Number.isSafeInteger(slot) || slot < 0) return;
    const timed = typeof sync50 === 'number' && typeof sync99 === 'number' && sync50 >= 0 && sync99 >= 0;
    this.#replicas.set(from, {
      slot,
      sync: timed ? { p50Ms: sync50, p99Ms: sync99 } : null,
      heardAt: clock.now(),
    });
  }

  #pingAll(): void {
    const { clock, connected, ping } = this.#options;
    const again = this.#pingLooks++ % looksPerRoundTrip === 0;
    for (const node of connected()) {
      this.seen(node);
      if (!again && this.#roundTrips.has(node)) continue;
      void ping(node).then((rttMs) => {
        if (rttMs !== null) this.#roundTrips.set(node, rttMs);
      });
    }
    this.#cancelPing = clock.setTimer(pingMs, () => this.#pingAll());
  }
}

/** What was last told, to how many, and when. */
interface Published {
  readonly load: number;
  readonly running: number;
  readonly slot: number;
  readonly listeners: number;
  readonly at: Instant;
}

const isNews = (now: Published, last: Published): boolean =>
  now.at - last.at >= calmPublishMs ||
  Math.abs(now.load - last.load) >= loadNews ||
  now.running !== last.running ||
  now.slot - last.slot >= slotsNews ||
  now.listeners > last.listeners;

const hundredths = (ms: number): number => Math.round(ms * 100) / 100;

function roundedSync(sync: { readonly p50Ms: number; readonly p99Ms: number } | null): object {
  return sync === null ? {} : { sync50: hundredths(sync.p50Ms), sync99: hundredths(sync.p99Ms) };
}

interface CoreTimes {
  readonly busy: number;
  readonly all: number;
}

/** Milliseconds all cores together have worked and have existed, since the machine started. */
function coreTimes(): CoreTimes {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq;
    busy += working;
    all += working + times.idle;
  }
  return { busy, all };
}
