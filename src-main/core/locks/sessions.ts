import { membersMax } from '../machine/limits.ts';
import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import type { NodeId, SessionId, WallTime } from '../../../shared/domain/ids.ts';
import { compareText } from '../../../shared/domain/ids.ts';

/** One run of a node process, alive in the log. `Capacity` is what the machine offers; this room does not look into it. */
export interface Session<Capacity> {
  readonly id: SessionId;
  readonly node: NodeId;
  /** What people call the machine. */
  readonly name: string;
  /** How long after its last renewal the coordinator may propose its expiry. */
  readonly ttlMs: number;
  /** Number of its last renewal; 0 until the first. */
  readonly renewal: number;
  /** The opener's wall clock: for people. */
  readonly openedAt: WallTime;
  readonly capacity: Capacity;
}

/** Every session that is alive in the log: at most one per machine, `membersMax` in all. */
export class Sessions<Capacity> {
  readonly #byId = new Map<SessionId, Session<Capacity>>();
  readonly #byNode = new Map<NodeId, SessionId>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: SessionId): Session<Capacity> | null {
    return this.#byId.get(id) ?? null;
  }

  /** The session of that machine's present run, if it has one. */
  ofNode(node: NodeId): Session<Capacity> | null {
    const id = this.#byNode.get(node);
    return id === undefined ? null : this.get(id);
  }

  /** Sorted by machine, so that it is the same list before and after a snapshot. */
  list(): readonly Session<Capacity>[] {
    return [...this.#byId.values()].sort((left, right) => compareText(left.node, right.node));
  }

  /**
   * Opens a session and answers the one it replaces, which ends with this call.
   * Opening the one that is open changes nothing and answers null.
   * Fails as `precondition-failed` when a later run of that machine is alive, and as `limit-reached`.
   */
  open(session: Session<Capacity>): Result<Session<Capacity> | null> {
    const known = this.#byId.get(session.id);
    if (known !== undefined) {
      return known.node === session.node
        ? ok(null)
        : fail('precondition-failed', `session ${session.id} belongs to another machine`, 'Restart this node.');
    }
    const earlier = this.ofNode(session.node);
    if (earlier !== null && isLaterRun(earlier.id, session.id)) {
      return fail(
        'precondition-failed',
        `session ${session.id} is an earlier run than ${earlier.id}, which is alive`,
        'Only the latest run of a machine may open a session. Check that its state directory is not used twice.',
      );
    }
    if (earlier === null && this.#byId.size >= membersMax) {
      return fail('limit-reached', `${membersMax} sessions are open`, 'Wait until a machine leaves, or revoke one.');
    }
    if (earlier !== null) this.end(earlier.id);
    this.#byId.set(session.id, session);
    this.#byNode.set(session.node, session.id);
    return ok(earlier);
  }

  /** Notes a renewal. An older number than the last one changes nothing: it was overtaken. */
  renew(id: SessionId, renewal: number): Result<null> {
    const session = this.#byId.get(id);
    if (session === undefined) return sessionNotAlive(id);
    if (renewal > session.renewal) this.#byId.set(id, { ...session, renewal });
    return ok(null);
  }

  setCapacity(id: SessionId, capacity: Capacity): Result<null> {
    const session = this.#byId.get(id);
    if (session === undefined) return sessionNotAlive(id);
    this.#byId.set(id, { ...session, capacity });
    return ok(null);
  }

  /** Forgets a session and answers it, or null when it was not alive. */
  end(id: SessionId): Session<Capacity> | null {
    const session = this.#byId.get(id);
    if (session === undefined) return null;
    this.#byId.delete(id);
    this.#byNode.delete(session.node);
    return session;
  }
}

/** The answer to every command of a session that has ended. */
export const sessionNotAlive = (
  id: SessionId,
): { ok: false; failure: { code: 'not-found'; message: string; hint: string } } => ({
  ok: false,
  failure: {
    code: 'not-found',
    message: `session ${id} is not alive: it expired, was closed, or a later run of its machine replaced it`,
    hint: 'Open a new session. Whatever the old one held or ran is lost.',
  },
});

/** Whether `left` and `right` are runs of one state directory and `left` came later. */
function isLaterRun(left: SessionId, right: SessionId): boolean {
  const [leftBoot, rightBoot] = [runOf(left), runOf(right)];
  return leftBoot !== null && rightBoot !== null && leftBoot.of === rightBoot.of && leftBoot.boot > rightBoot.boot;
}

/** Splits `<NodeId>#<incarnation>.<boot>`; null for an id of another form, which then never counts as earlier. */
function runOf(id: SessionId): { readonly of: string; readonly boot: number } | null {
  const dot = id.lastIndexOf('.');
  const boot = dot < 0 ? Number.NaN : Number(id.slice(dot + 1));
  return Number.isSafeInteger(boot) ? { of: id.slice(0, dot), boot } : null;
}
