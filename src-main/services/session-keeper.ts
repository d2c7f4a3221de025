import { sessionId, type NodeId, type SessionId, type WallTime } from '../../shared/domain/ids.ts';
import type { Instant } from '../core/machine/time.ts';
import { supportedLevel } from '../core/levels/feature-levels.ts';
import type { Program } from '../core/levels/level-table.ts';
import type { NodeEvent } from '../core/node/messages.ts';
import type { Capacity } from '../core/state-machine/command.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { pause } from './backoff.ts';
import type { Boot } from './node-record.ts';
import { untilAnsweredMs, type Replica } from './replica.ts';
import { version } from './version.ts';

/** Share of the TTL after which a lease that was not renewed may no longer be relied on. */
const trustedShare = 0.6;
const renewalsPerTtl = 4;
const checksPerTtl = 20;
const reopenWaitMs = 500;
/** How long a stopping node waits for its session to be closed in the log; expiry does the same later. */
const closeWaitMs = 1_500;

/**
 * `opening`: no session yet, or none any more. `held`: surely alive. `uncertain`: not renewed in time, so the
 * swarm may be about to give its locks and attempts to others: what runs under it must stop now.
 */
export type SessionStanding = 'opening' | 'held' | 'uncertain' | 'closed';

/**
 * Time that whatever works under a session gets to end by itself once it is uncertain: with the share above and one
 * look at the clock in between, it is dead before 90 % of the lease.
 */
export const graceOf = (ttlMs: number): number => Math.min(2_000, 0.2 * ttlMs);

export interface SessionKeeperOptions {
  readonly self: NodeId;
  readonly name: string;
  readonly ttlMs: number;
  readonly replica: Replica;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly capacity: () => Capacity;
  readonly firstRecord: Boot;
  readonly nextRecord: () => Promise<Boot>;
}

/** What the others must know before the log may hold what only newer programs understand. */
const program: Program = { version, supports: supportedLevel };

/** Keeps this run's session alive in the log, and knows by its own clocks when it may be over. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(standing: SessionStanding) => void>();
  #session: SessionId | null = null;
  #standing: SessionStanding = 'opening';
  #renewal = 0;
  #renewing = false;
  /** Both clocks at the moment the last successful renewal was sent, not answered. */
  #trustedFrom: { instant: Instant; wall: WallTime };
  #unsubscribe: (() => void) | null = null;
  #cancelCheck: (() => void) | null = null;

  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#trustedFrom = this.#clocks();
  }

  get standing(): SessionStanding {
    return this.#standing;
  }

  /** The session this machine may act under right now, or null. */
  get held(): SessionId | null {
    return this.#standing === 'held' ? this.#session : null;
  }

  /** The session opened last, whether or not it can still be relied on. */
  get session(): SessionId | null {
    return this.#session;
  }

  get graceMs(): number {
    return graceOf(this.#options.ttlMs);
  }

  /** Milliseconds for which the lease is still relied on. */
  trustLeftMs(): number {
    return Math.max(0, trustedShare * this.#options.ttlMs - this.#sinceTrustedMs());
  }

  onStanding(listener: (standing: SessionStanding) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#unsubscribe = this.#options.replica.onEvent((event) => this.#heard(event));
    void this.#open(this.#options.firstRecord);
  }

  /** Closes the session in the log, so that its work moves on at once; waits a bounded time for it. */
  async stop(): Promise<void> {
    const session = this.#session;
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    this.#cancelCheck?.();
    this.#become('closed');
    this.#unsubscribe?.();
    if (session !== null)
      await this.#options.replica.propose({ type: 'session-closed', session }, { timeoutMs: closeWaitMs });
  }

  /** Tells the swarm what this machine offers now. */
  async announceCapacity(): Promise<void> {
    const session = this.#session;
    if (session === null) return;
    const told = await this.#options.replica.propose(
      { type: 'capacity-changed', session, capacity: this.#options.capacity() },
      { timeoutMs: 10_000 },
    );
    if (!told.ok)
      this.#options.logger.warn('the change of policy could not be announced', { reason: told.failure.message });
  }

  async #open(record: Boot): Promise<void> {
    const { self, name, ttlMs, replica, clock, logger, capacity } = this.#options;
    const session = sessionId(`${self}#${record.incarnation}.${record.boot}`);
    while (!this.#stopping.signal.aborted) {
      const sent = this.#clocks();
      const offered = capacity();
      const opened = await replica.propose(
        { type: 'session-opened', session, node: self, name, ttlMs, capacity: offered, program },
        { signal: this.#stopping.signal, timeoutMs: untilAnsweredMs },
      );
      if (this.#stopping.signal.aborted) return;
      if (opened.ok || replica.state().sessions.get(session) !== null) {
        this.#session = session;
        this.#renewal = replica.state().sessions.get(session)?.renewal ?? 0;
        this.#trustedFrom = sent;
        this.#become('held');
        this.#check();
        // The owner may have changed the policy while the opening was under way.
        if (JSON.stringify(capacity()) !== JSON.stringify(offered)) void this.announceCapacity();
        return;
      }
      logger.warn('the session could not be opened', { reason: opened.failure.message });
      await pause(clock, reopenWaitMs, this.#stopping.signal);
    }
  }

  #check(): void {
    if (this.#stopping.signal.aborted || this.#session === null) return;
    const { ttlMs, clock } = this.#options;
    const sinceMs = this.#sinceTrustedMs();
    if (sinceMs >= trustedShare * ttlMs) this.#become('uncertain');
    if (sinceMs >= ttlMs / renewalsPerTtl && !this.#renewing) void this.#renew(this.#session);
    this.#cancelCheck = clock.setTimer(ttlMs / checksPerTtl, () => this.#check());
  }

  async #renew(session: SessionId): Promise<void> {
    this.#renewing = true;
    const sent = this.#clocks();
    const renewed = await this.#options.replica.propose(
      { type: 'session-renewed', session, renewal: this.#renewal + 1 },
      { signal: this.#stopping.signal, timeoutMs: untilAnsweredMs },
    );
    this.#renewing = false;
    if (this.#stopping.signal.aborted || this.#session !== session) return;
    if (!renewed.ok) {
      this.#options.logger.warn('the session was not renewed', { reason: renewed.failure.message });
      if (this.#options.replica.state().sessions.get(session) === null) this.#lost();
      return;
    }
    this.#renewal++;
    this.#trustedFrom = sent;
    // A renewal that took long to be chosen proves little about now: only a fresh one makes the lease certain again.
    if (this.#sinceTrustedMs() < trustedShare * this.#options.ttlMs) this.#become('held');
  }

  #heard(event: NodeEvent): void {
    if (this.#session === null) return;
    if (event.type === 'applied') {
      if (event.events.some((change) => change.type === 'session-ended' && change.session === this.#session))
        this.#lost();
    } else if (event.type === 'state-replaced' && this.#options.replica.state().sessions.get(this.#session) === null) {
      this.#lost();
    }
  }

  #lost(): void {
    if (this.#stopping.signal.aborted) return;
    this.#options.logger.warn('the session is over; opening another', { session: this.#session });
    this.#session = null;
    this.#cancelCheck?.();
    this.#become('opening');
    this.#options.nextRecord().then(
      (record) => this.#open(record),
      (error: unknown) => this.#options.logger.error('no further session can be opened', { reason: String(error) }),
    );
  }

  #become(standing: SessionStanding): void {
    if (this.#standing === standing) return;
    this.#standing = standing;
    for (const listener of this.#listeners) listener(standing);
  }

  /** The longer of both clocks' opinions: the monotonic one may stand still while the machine sleeps. */
  #sinceTrustedMs(): number {
    const now = this.#clocks();
    return Math.max(now.instant - this.#trustedFrom.instant, now.wall - this.#trustedFrom.wall);
  }

  #clocks(): { instant: Instant; wall: WallTime } {
    return { instant: this.#options.clock.now(), wall: this.#options.clock.wall() };
  }
}
