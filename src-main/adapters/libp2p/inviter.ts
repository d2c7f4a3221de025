import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Libp2p, Stream } from '@libp2p/interface';
import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Failure, Result } from '../../../shared/domain/failure.ts';
import { nodeId, wallTime } from '../../../shared/domain/ids.ts';
import type { NodeId, WallTime } from '../../../shared/domain/ids.ts';
import type { Role } from '../../../shared/domain/member.ts';
import type { Logger } from '../../ports/logger.ts';
import { formatInvitation, invitationAddressesMax } from '../../swarm/invitation.ts';
import type { Invitation } from '../../swarm/invitation.ts';
import type { MembershipSet } from '../../swarm/membership-set.ts';
import { OpenInvitation } from '../../swarm/open-invitation.ts';
import { comparisonWords, freshNonce, pairingHelloBytesMax, proofOf } from '../../swarm/pairing.ts';
import type { Transcript } from '../../swarm/pairing.ts';
import type { Identity } from './identity.ts';
import { PairingChannel } from './pairing-channel.ts';
import { createPairingNode, pairingProtocol } from './pairing-node.ts';

/** Who asks to be let in, once it has proved the secret. */
export interface JoinRequest {
  readonly id: string;
  readonly member: NodeId;
  readonly name: string;
  readonly os: string;
  readonly words: readonly string[];
  readonly role: Role;
  readonly at: WallTime;
}

export interface InviterOptions {
  readonly identity: Identity;
  readonly membership: MembershipSet;
  /** `0.0.0.0` unless told otherwise. */
  readonly listenHost?: string;
  /** Addresses of members, ids at the end: the joiner's first address book. */
  readonly memberAddresses: () => readonly string[];
  /** Asks the person. The signal fires when the joiner goes away or the invitation ends. */
  readonly confirm: (request: JoinRequest, signal: AbortSignal) => Promise<boolean>;
  readonly now?: () => WallTime;
  readonly logger: Logger;
}

export interface IssuedInvitation {
  readonly link: string;
  readonly invitation: Invitation;
  /** Stops listening; the link is worthless then. */
  close(): Promise<void>;
}

export interface Inviter {
  /** Opens one invitation. Fails with `not-authorised`, `limit-reached` or `internal`. */
  open(options: {
    readonly role: Role;
    readonly ttlMs: number;
    readonly autoApprove?: boolean;
  }): Promise<Result<IssuedInvitation>>;
  close(): Promise<void>;
}

const stepTimeoutMs = 15_000;
const invitationsOpenMax = 8;
const conversationsMax = 4;
/** How long an ended invitation still answers that it has ended, rather than not at all. */
const farewellMs = 60_000;

export const createInviter = (options: InviterOptions): Inviter => new Libp2pInviter(options);

class Libp2pInviter implements Inviter {
  readonly #options: InviterOptions;
  readonly #sessions = new Set<InvitationSession>();

  constructor(options: InviterOptions) {
    this.#options = options;
  }

  async open(request: {
    readonly role: Role;
    readonly ttlMs: number;
    readonly autoApprove?: boolean;
  }): Promise<Result<IssuedInvitation>> {
    const { identity, membership } = this.#options;
    if (membership.member(identity.id)?.role !== 'admin') {
      return fail(
        'not-authorised',
        'This machine may not invite: it is no admin of the swarm.',
        'Ask an admin to invite.',
      );
    }
    if (this.#sessions.size >= invitationsOpenMax) {
      return fail(
        'limit-reached',
        `${String(invitationsOpenMax)} invitations are open already.`,
        'Wait until one is used or expires.',
      );
    }
    const session = new InvitationSession(this.#options, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    const opened = await session.open(request);
    if (!opened.ok) this.#sessions.delete(session);
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }
}

/** One invitation with its own listening node. */
class InvitationSession {
  readonly #options: InviterOptions;
  readonly #onClosed: () => void;
  readonly #ended = new AbortController();
  #node: Libp2p | null = null;
  #invitation: OpenInvitation | null = null;
  #autoApprove = false;
  #conversations = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: InviterOptions, onClosed: () => void) {
    this.#options = options;
    this.#onClosed = onClosed;
  }

  async open(request: {
    readonly role: Role;
    readonly ttlMs: number;
    readonly autoApprove?: boolean;
  }): Promise<Result<IssuedInvitation>> {
    const { identity, membership } = this.#options;
    const host = this.#options.listenHost ?? '0.0.0.0';
    this.#autoApprove = request.autoApprove ?? false;
    try {
      const node = await createPairingNode(identity, [`/ip${isIP(host) === 6 ? '6' : '4'}/${host}/tcp/0`]);
      this.#node = node;
      await node.handle(
        pairingProtocol,
        (stream, connection) => this.#greet(nodeId(connection.remotePeer.toString()), stream),
        { maxInboundStreams: 2 },
      );
      await node.start();
    } catch (cause) {
      await this.close();
      return fail(
        'internal',
        `Listening for the invited machine failed: ${cause instanceof Error ? cause.message : String(cause)}.`,
      );
    }
    const addresses = pairingAddresses(this.#node);
    if (addresses.length === 0) {
      await this.close();
      return fail(
        'precondition-failed',
        'This machine is on no network, so no other one could use an invitation.',
        'Connect it to the network of the others, then invite again.',
      );
    }
    const invitation: Invitation = {
      swarm: membership.swarm,
      swarmName: membership.genesis.name,
      inviter: identity.id,
      addresses,
      secret: randomBytes(16).toString('hex'),
      role: request.role,
      expiresAt: wallTime(this.#now() + request.ttlMs),
    };
    this.#invitation = new OpenInvitation(invitation);
    this.#timer = setTimeout(() => void this.close(), request.ttlMs + farewellMs);
    this.#timer.unref();
    return ok({ link: formatInvitation(invitation), invitation, close: () => this.close() });
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#ended.abort();
    this.#onClosed();
    const node = this.#node;
    this.#node = null;
    await node?.stop();
  }

  async #greet(joiner: NodeId, stream: Stream): Promise<void> {
    const channel = new PairingChannel(joiner, stream);
    if (this.#invitation === null || this.#conversations >= conversationsMax) {
      channel.close('busy');
      return;
    }
    this.#conversations += 1;
    try {
      const outcome = await this.#converse(channel, this.#invitation);
      if (!outcome.ok) await channel.send({ type: 'refused', failure: outcome.failure });
      await channel.finish();
    } catch (cause) {
      this.#options.logger.debug('pairing ended early', { joiner, cause: String(cause) });
      channel.close('pairing ended');
    } finally {
      this.#conversations -= 1;
    }
  }

  async #converse(channel: PairingChannel, open: OpenInvitation): Promise<Result<null>> {
    const hello = await channel.receive({ bytesMax: pairingHelloBytesMax, timeoutMs: stepTimeoutMs });
    if (hello.type !== 'hello') return unexpected;
    const checked = open.check(hello.swarm, this.#now());
    if (!checked.ok) return checked;
    const { swarm, inviter } = open.invitation;
    const transcript: Transcript = {
      swarm,
      inviter,
      joiner: channel.peer,
      inviterNonce: freshNonce(),
      joinerNonce: hello.nonce,
    };
    await channel.send({ type: 'challenge', nonce: transcript.inviterNonce });
    const proof = await channel.receive({ bytesMax: pairingHelloBytesMax, timeoutMs: stepTimeoutMs });
    if (proof.type !== 'proof') return unexpected;
    const proved = open.prove(proof.proof, transcript, this.#now());
    if (!proved.ok) return proved;
    const decided = await this.#decide(channel, open, { name: hello.name, os: hello.os, transcript });
    return decided.ok ? this.#admit(channel, open, { name: hello.name, transcript }) : decided;
  }

  /** Waits for the person, but not longer than the joiner stays or the invitation lasts. */
  async #decide(
    channel: PairingChannel,
    open: OpenInvitation,
    who: { readonly name: string; readonly os: string; readonly transcript: Transcript },
  ): Promise<Result<null>> {
    if (this.#autoApprove) return ok(null);
    const { secret, role, expiresAt } = open.invitation;
    const left = new AbortController();
    const signal = AbortSignal.any([
      left.signal,
      this.#ended.signal,
      AbortSignal.timeout(Math.max(1, expiresAt - this.#now())),
    ]);
    const aborted = new Promise<'aborted'>((resolve) => {
      signal.addEventListener(
        'abort',
        () => {
          resolve('aborted');
        },
        { once: true },
      );
    });
    void channel
      .gone()
      .catch(() => undefined)
      .finally(() => {
        left.abort();
      });
    const request = {
      id: randomBytes(8).toString('hex'),
      member: channel.peer,
      name: who.name,
      os: who.os,
      words: comparisonWords(secret, who.transcript),
      role,
      at: this.#now(),
    };
    const answer = await Promise.race([this.#options.confirm(request, signal).catch(() => false), aborted]);
    if (answer === 'aborted') {
      open.release();
      return fail('invitation-expired', 'Nobody decided in time.', 'Ask for a new invitation.');
    }
    if (answer) return ok(null);
    open.settle();
    return fail(
      'invitation-denied',
      'The inviting machine said no.',
      'Compare the words on both screens and ask for a new invitation.',
    );
  }

  async #admit(
    channel: PairingChannel,
    open: OpenInvitation,
    who: { readonly name: string; readonly transcript: Transcript },
  ): Promise<Result<null>> {
    const { identity, membership, memberAddresses, logger } = this.#options;
    const { role, secret } = open.invitation;
    const granted = membership.grant(identity, { member: channel.peer, name: who.name, role, now: this.#now() });
    if (!granted.ok) {
      open.release();
      return granted;
    }
    // Used from here on, even if the last message is lost: the grant is out and cannot be taken back silently.
    open.settle();
    logger.info('a machine was admitted', { member: channel.peer, name: who.name, role });
    await channel.send({
      type: 'admitted',
      proof: proofOf(secret, 'inviter', who.transcript),
      membership: membership.encode(),
      addresses: memberAddresses(),
    });
    return ok(null);
  }

  #now(): WallTime {
    return this.#options.now?.() ?? wallTime(Date.now());
  }
}

const unexpected: { readonly ok: false; readonly failure: Failure } = fail(
  'malformed',
  'That message has no place here in pairing.',
);

function pairingAddresses(node: Libp2p): readonly string[] {
  const all = node.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, ''));
  const outward = all.filter((address) => !address.startsWith('/ip4/127.'));
  return (outward.length > 0 ? outward : all).slice(0, invitationAddressesMax);
}
