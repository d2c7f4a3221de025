import type { JobId, LockName, NodeId, SessionId } from '../../../shared/domain/ids.ts';
import type { LiveAttempt } from './job.ts';

interface Running {
  slots: number;
  readonly attempts: Map<string, LiveAttempt>;
}

/** The attempts that are live in the log, by session and by the lock their job asks for. */
export class LiveAttempts {
  readonly #bySession = new Map<SessionId, Running>();
  readonly #byNode = new Map<NodeId, Set<SessionId>>();
  readonly #byLock = new Map<LockName, number>();

  add(attempt: LiveAttempt, lock: LockName | null): void {
    const running = this.#bySession.get(attempt.session) ?? { slots: 0, attempts: new Map() };
    running.slots += attempt.slots;
    running.attempts.set(placeOf(attempt.key), attempt);
    this.#bySession.set(attempt.session, running);
    const sessions = this.#byNode.get(attempt.node) ?? new Set();
    this.#byNode.set(attempt.node, sessions.add(attempt.session));
    if (lock !== null) this.#byLock.set(lock, this.attemptsUnder(lock) + 1);
  }

  /** Forgets the live attempt of a task and answers it; null when that session runs none of it. */
  remove(session: SessionId, task: { job: JobId; index: number }, lock: LockName | null): LiveAttempt | null {
    const running = this.#bySession.get(session);
    const attempt = running?.attempts.get(placeOf(task));
    if (running === undefined || attempt === undefined) return null;
    running.attempts.delete(placeOf(task));
    running.slots -= attempt.slots;
    if (running.attempts.size === 0) this.#forget(attempt);
    if (lock !== null) {
      const left = this.attemptsUnder(lock) - 1;
      if (left > 0) this.#byLock.set(lock, left);
      else this.#byLock.delete(lock);
    }
    return attempt;
  }

  /** Sorted by job and index: the order of insertion does not survive a snapshot. */
  ofSession(session: SessionId): readonly LiveAttempt[] {
    const attempts = [...(this.#bySession.get(session)?.attempts.values() ?? [])];
    return attempts.sort((left, right) => left.key.job - right.key.job || left.key.index - right.key.index);
  }

  onNode(node: NodeId): readonly LiveAttempt[] {
    return [...(this.#byNode.get(node) ?? [])].flatMap((session) => this.ofSession(session));
  }

  slotsOfSession(session: SessionId): number {
    return this.#bySession.get(session)?.slots ?? 0;
  }

  slotsOnNode(node: NodeId): number {
    let slots = 0;
    for (const session of this.#byNode.get(node) ?? []) slots += this.slotsOfSession(session);
    return slots;
  }

  /** How many live attempts belong to jobs that ask for this lock. */
  attemptsUnder(lock: LockName): number {
    return this.#byLock.get(lock) ?? 0;
  }

  #forget({ session, node }: LiveAttempt): void {
    this.#bySession.delete(session);
    const sessions = this.#byNode.get(node);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byNode.delete(node);
  }
}

const placeOf = ({ job, index }: { readonly job: JobId; readonly index: number }): string => `${job}.${index}`;
