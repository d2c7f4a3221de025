import type { NodeId, SessionId, Slot } from '../../../shared/domain/ids.ts';
import { Attendance } from '../membership/attendance.ts';
import { chooseVoters, newSeatRank, type Candidate, type Departure, type Seat } from '../membership/voter-choice.ts';
import { tasksPerCommandMax } from '../machine/limits.ts';
import type { Instant } from '../machine/time.ts';
import type { NodeTiming } from '../machine/timing.ts';
import { voterIn, type VoterConfig } from '../paxos/voters.ts';
import { ranked, type RankTable } from '../ranks/rank-table.ts';
import type { Command } from '../state-machine/command.ts';
import { placementViewOf, type SwarmState } from '../state-machine/state.ts';
import { place } from '../tasks/placement.ts';
import { LockDelays } from './lock-delays.ts';

interface WatchedSession {
  renewal: number;
  /** When this coordinator applied that renewal, or took office: expiry is counted from here, late rather than early. */
  since: Instant;
  expiryProposedAt: Instant | null;
}

/** A session expiry that has not been applied after this is proposed again. */
const expiryRepeatMs = 2_000;

/** A placement whose entry has not been applied after this is thought lost. */
const placementPatienceMs = 3_000;

/**
 * What only the coordinator does: it watches the clock for overdue sessions, places waiting tasks and keeps the
 * right machines among the voters. All of it ends in proposals; nothing here is truth.
 */
export class CoordinatorDuties {
  readonly #self: { readonly node: NodeId; readonly incarnation: string };
  readonly #sessions = new Map<SessionId, WatchedSession>();
  /** Of locks that were lost. */
  readonly lockDelays = new LockDelays();
  readonly #loads = new Map<NodeId, number>();
  readonly #timing: NodeTiming;
  readonly #attendance: Attendance;
  readonly #departing = new Map<NodeId, Departure>();
  #placedAt: Instant | null = null;
  #roundRobinFrom = 0;

  constructor(self: { readonly node: NodeId; readonly incarnation: string }, timing: NodeTiming) {
    this.#self = self;
    this.#timing = timing;
    this.#attendance = new Attendance(timing.quorumMs);
  }

  /** A new coordinator gives every session a full lease: it can only err late (Gray and Cheriton 1989, section 5). */
  takeOffice(now: Instant): void {
    this.#sessions.clear();
    this.lockDelays.takeOffice();
    this.#attendance.begin(now);
    // Whoever is still going says so again; who has come back since told an earlier coordinator.
    this.#departing.clear();
    this.#placedAt = null;
  }

  noteLoad(node: NodeId, load: number): void {
    this.#loads.set(node, load);
  }

  noteAnswer(now: Instant, node: NodeId, answer: { readonly committed: Slot; readonly incarnation: string }): void {
    // It said that it would go, and was away: it is back. Until then its seat stays given up, however soon it went.
    if (this.#attendance.note(now, node, answer)) this.#departing.delete(node);
  }

  forget(peer: NodeId): void {
    this.#attendance.forget(peer);
  }

  /** A machine says that it is about to go, or that it stays after all. */
  noteDeparture(node: NodeId, departure: Departure | null): void {
    if (departure === null) this.#departing.delete(node);
    else this.#departing.set(node, departure);
  }

  /** For how long a machine has answered without a gap; null for one that is not heard. */
  steadyMs(now: Instant, node: NodeId): number | null {
    return this.#attendance.steadyMs(now, node);
  }

  /** How far each machine that answers heartbeats has the log. */
  get progress(): ReadonlyMap<NodeId, Slot> {
    return this.#attendance.progress;
  }

  /** Conditional expiries of sessions whose time is over by this clock. */
  overdueSessions(now: Instant, state: SwarmState): Command[] {
    const expiries: Command[] = [];
    const alive = new Set<SessionId>();
    for (const session of state.sessions.list()) {
      alive.add(session.id);
      const watched = this.#watch(now, session.id, session.renewal);
      const again = watched.expiryProposedAt === null || now - watched.expiryProposedAt > expiryRepeatMs;
      if (now - watched.since <= session.ttlMs || !again) continue;
      watched.expiryProposedAt = now;
      expiries.push({ type: 'session-expired', session: session.id, renewal: session.renewal });
    }
    for (const session of this.#sessions.keys()) if (!alive.has(session)) this.#sessions.delete(session);
    return expiries;
  }

  #watch(now: Instant, session: SessionId, renewal: number): WatchedSession {
    const known = this.#sessions.get(session);
    if (known?.renewal === renewal) return known;
    const fresh = { renewal, since: now, expiryProposedAt: null };
    this.#sessions.set(session, fresh);
    return fresh;
  }

  /** Milliseconds left of a session's lease by this coordinator's clock; null for sessions it has not watched yet. */
  leaseLeftMs(now: Instant, session: SessionId, ttlMs: number): number | null {
    const watched = this.#sessions.get(session);
    return watched === undefined ? null : Math.max(0, ttlMs - (now - watched.since));
  }

  /** The next placements, unless earlier ones are still on their way through the log. */
  placements(now: Instant, state: SwarmState): Command | null {
    if (this.#placedAt !== null && now - this.#placedAt < placementPatienceMs) return null;
    const view = placementViewOf(state, (node) => this.#loads.get(node) ?? null, this.#roundRobinFrom);
    const placed = place(view, tasksPerCommandMax);
    if (placed.assignments.length === 0) return null;
    this.#roundRobinFrom = placed.roundRobinNext;
    this.#placedAt = now;
    return { type: 'tasks-assigned', assignments: placed.assignments };
  }

  /** The last placements took effect: more may follow. */
  placementsApplied(): void {
    this.#placedAt = null;
  }

  /** Which voters the swarm should have, or null when it has them. */
  voters(
    now: Instant,
    view: {
      readonly config: VoterConfig;
      readonly committed: Slot;
      readonly members: ReadonlySet<NodeId>;
      readonly ranks: RankTable;
      readonly hoursOf: (node: NodeId) => number;
    },
  ): readonly Seat[] | null {
    const heard = this.#attendance.heard(now).filter(({ node }) => node !== this.#self.node);
    const own = { ...this.#self, committed: view.committed, steadyMs: Number.POSITIVE_INFINITY };
    const candidates: Candidate[] = [own, ...heard].map(({ node, incarnation, committed, steadyMs }) => ({
      node,
      incarnation,
      rank: view.ranks.rankOf(node) ?? voterIn(view.config, node)?.rank ?? newSeatRank,
      pin: view.ranks.pinOf(node),
      lag: view.committed - committed,
      steadyMs,
    }));
    return chooseVoters({
      self: this.#self.node,
      seats: ranked(view.config.voters, view.ranks),
      candidates,
      isMember: (node) => view.members.has(node),
      departing: this.#departing,
      absentMs: (node) => this.#attendance.absentMs(now, node),
      hoursOf: view.hoursOf,
      timing: this.#timing,
    });
  }
}
