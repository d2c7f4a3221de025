import { FailureError, fail, ok, type Failure, type Result } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/member.ts';
import type { Departure } from '../core/membership/voter-choice.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { MembershipSet } from '../swarm/membership-set.ts';
import type { Changes } from './live-view.ts';
import { memberNamed } from './names.ts';
import { handOverSeat } from './seat-handover.ts';
import { valueOf, type PeerHolder, type RunningPeer } from './running-peer.ts';
import type { SwarmDoor } from './swarm-service.ts';
import { setAside, type SwarmHome } from './swarm-home.ts';

/** How long a voter that leaves for good waits until the others have chosen voters without it. */
const leaveMs = 8_000;

/** The same when it only stops: others can wait for it, the person who stops it should not. */
const stopMs = 1_500;

export interface PeerOpening {
  readonly membership: MembershipSet;
  readonly home: SwarmHome;
  /** Writes the first snapshot and the membership; otherwise both are read. */
  readonly founding: boolean;
  /** Why the journal on disk must not be used: the machine begins anew, as another voter. Null otherwise. */
  readonly suspect: Failure | null;
}

export interface OpenedPeer {
  readonly peer: RunningPeer;
}

type Invited = Result<{
  readonly link: string;
  readonly invitation: { readonly expiresAt: number; readonly role: Role; readonly addresses: readonly string[] };
}>;

export interface PeerLifeOptions {
  readonly self: NodeId;
  readonly home: SwarmHome;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly changes: Changes;
  openMembership(): Promise<Result<MembershipSet | null>>;
  saveMembership(membership: MembershipSet): Promise<Result<null>>;
  foundMembership(name: string): Result<MembershipSet>;
  join(
    link: string,
    signal: AbortSignal,
    onWords: (words: readonly string[]) => void,
  ): Promise<
    Result<{
      readonly membership: MembershipSet;
      readonly addresses: readonly string[];
      readonly role: Role;
      readonly words: readonly string[];
    }>
  >;
  rememberAddresses(addresses: readonly string[]): Promise<Result<null>>;
  open(opening: PeerOpening): Promise<OpenedPeer>;
  revoke(membership: MembershipSet, member: NodeId, reason: string): Result<null>;
  invite(
    opened: OpenedPeer,
    request: { readonly role: Role; readonly ttlMs: number; readonly autoApprove: boolean },
  ): Promise<Invited>;
  closeInvitations(): Promise<void>;
}

/** The peer of this machine across its memberships: none, then one, then perhaps none again, in one process. */
export class PeerLife implements PeerHolder, SwarmDoor {
  readonly self: NodeId;
  readonly #options: PeerLifeOptions;
  #opened: OpenedPeer | null = null;
  /** Founding, joining and leaving exclude one another. */
  #busy = false;
  #stopWatching: (() => void) | null = null;
  /** A restart failed half-way: the peer shows what it knew, but everything of it has ended. */
  #ended = false;

  constructor(options: PeerLifeOptions) {
    this.self = options.self;
    this.#options = options;
  }

  get current(): RunningPeer | null {
    return this.#opened?.peer ?? null;
  }

  /** Starts the peer of the membership on disk, if there is one. */
  async resume(): Promise<void> {
    const membership = valueOf(await this.#options.openMembership());
    if (membership === null) return;
    if (!membership.isMember(this.self)) {
      this.#options.logger.warn('this machine was removed from its swarm', { swarm: membership.swarm });
      await setAside(this.#options.home, this.#options.clock.wall());
      return;
    }
    await this.#open(membership, false);
  }

  /** Tells the swarm at once that this machine is about to sleep or has woken up; nothing waits for it. */
  announceDeparture(departure: Departure | null): void {
    this.current?.announceDeparture(departure);
  }

  async stop(): Promise<void> {
    await this.#options.closeInvitations();
    if (this.current !== null) await this.#handOver(this.current, 'shutdown', stopMs);
    await this.#close();
  }

  /**
   * Ends the peer and starts it again from its disk; with a reason to suspect that, from nothing. Until the new one runs,
   * the old one goes on showing what it knew. Answers why it could not be started.
   */
  async restart(suspect: Failure | null): Promise<Result<null>> {
    try {
      return await this.#alone(async () => {
        const peer = this.current;
        if (peer === null) return ok(null);
        await this.#options.closeInvitations();
        this.#stopWatching?.();
        if (!this.#ended) await peer.stop();
        this.#ended = true;
        await this.#open(peer.membership, false, suspect);
        return ok(null);
      });
    } catch (error) {
      if (error instanceof FailureError) return { ok: false, failure: error.failure };
      return fail('internal', error instanceof Error ? error.message : String(error));
    }
  }

  found(name: string): Promise<RunningPeer> {
    return this.#alone(async () => {
      const membership = valueOf(this.#options.foundMembership(name));
      await setAside(this.#options.home, this.#options.clock.wall());
      return this.#open(membership, true);
    });
  }

  join(
    link: string,
    signal: AbortSignal,
    onWords: (words: readonly string[]) => void,
  ): Promise<{ peer: RunningPeer; role: Role; words: readonly string[] }> {
    return this.#alone(async () => {
      const joined = valueOf(await this.#options.join(link, signal, onWords));
      await setAside(this.#options.home, this.#options.clock.wall());
      valueOf(await this.#options.rememberAddresses(joined.addresses));
      valueOf(await this.#options.saveMembership(joined.membership));
      const peer = await this.#open(joined.membership, false);
      return { peer, role: joined.role, words: joined.words };
    });
  }

  async invite(request: {
    readonly role: Role;
    readonly ttlMs: number;
    readonly autoApprove: boolean;
  }): Promise<Result<{ link: string; expiresAt: number; role: Role; addresses: readonly string[] }>> {
    if (this.#opened === null) return fail('not-a-member', 'This machine belongs to no swarm yet.');
    const issued = await this.#options.invite(this.#opened, request);
    if (!issued.ok) return issued;
    const { expiresAt, role, addresses } = issued.value.invitation;
    return ok({ link: issued.value.link, expiresAt, role, addresses });
  }

  leave(): Promise<void> {
    return this.#alone(async () => {
      const peer = this.current;
      if (peer === null) return;
      await this.#options.closeInvitations();
      if (peer.membership.members().length > 1) await this.#depart(peer);
      await this.#close();
      await setAside(this.#options.home, this.#options.clock.wall());
    });
  }

  revoke(member: string, reason: string): Result<null> {
    const peer = this.current;
    if (peer === null) return fail('not-a-member', 'This machine belongs to no swarm yet.');
    const found = memberNamed(peer.membership, member);
    return found.ok ? this.#options.revoke(peer.membership, found.value, reason) : found;
  }

  /** Says goodbye while it can still be heard: work stops, the session ends, the seat goes to somebody else. */
  async #depart(peer: RunningPeer): Promise<void> {
    this.#stopWatching?.();
    await peer.executor.stop();
    await peer.keeper.stop();
    // Before the departure is signed: from then on the others hear nothing that this machine says, not even its vote.
    await this.#handOver(peer, 'leave', leaveMs);
    const revoked = this.#options.revoke(peer.membership, this.self, 'left the swarm');
    if (!revoked.ok)
      this.#options.logger.warn('the departure could not be signed', { reason: revoked.failure.message });
    // The announcement of the departure travels within this time.
    await this.#moment();
  }

  async #handOver(peer: RunningPeer, departure: Departure, withinMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    if (await handOverSeat(peer, { departure, withinMs, clock })) return;
    logger.warn('nobody has taken over the seat of this machine: the others have one voter less for now', {
      departure,
    });
  }

  #moment(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(200, resolve));
  }

  async #open(membership: MembershipSet, founding: boolean, suspect: Failure | null = null): Promise<RunningPeer> {
    const opened = await this.#options.open({ membership, home: this.#options.home, founding, suspect });
    this.#opened = opened;
    this.#ended = false;
    this.#stopWatching = membership.onChange(() => {
      if (!membership.isMember(this.self)) void this.#removed();
    });
    this.#options.changes.changed();
    return opened.peer;
  }

  /** An admin's revocation of this machine has arrived: it stops taking part at once. */
  async #removed(): Promise<void> {
    this.#options.logger.warn('this machine was removed from its swarm');
    try {
      await this.#alone(async () => {
        await this.#options.closeInvitations();
        await this.#close();
        await setAside(this.#options.home, this.#options.clock.wall());
      });
    } catch (error) {
      this.#options.logger.error('the removed membership could not be set aside', { reason: String(error) });
    }
  }

  async #close(): Promise<void> {
    const peer = this.current;
    this.#stopWatching?.();
    this.#opened = null;
    if (!this.#ended) await peer?.stop();
    this.#ended = false;
    this.#options.changes.changed();
  }

  async #alone<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#busy)
      throw new FailureError(
        fail('precondition-failed', 'This machine is joining or leaving a swarm right now.', 'Try again in a moment.')
          .failure,
      );
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}
