import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { fail, FailureError, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import type { WallTime } from '../../../shared/domain/ids.ts';
import type { Role } from '../../../shared/domain/member.ts';
import { parseInvitation } from '../../swarm/invitation.ts';
import type { Invitation } from '../../swarm/invitation.ts';
import { decodeMembership } from '../../swarm/membership-set.ts';
import type { MembershipSet } from '../../swarm/membership-set.ts';
import {
  comparisonWords,
  freshNonce,
  pairingHelloBytesMax,
  pairingMessageBytesMax,
  proofOf,
  proofsMatch,
} from '../../swarm/pairing.ts';
import type { PairingMessage, Transcript } from '../../swarm/pairing.ts';
import type { Identity } from './identity.ts';
import { PairingChannel } from './pairing-channel.ts';
import { createPairingNode, pairingProtocol } from './pairing-node.ts';

export interface JoinOptions {
  readonly identity: Identity;
  /** What people will call this machine. */
  readonly name: string;
  /** For the inviter's screen, such as `linux x64`. */
  readonly os: string;
  /** The words to compare, as soon as they are known; the inviter may still be thinking. */
  readonly onWords?: (words: readonly string[]) => void;
  readonly signal?: AbortSignal;
  readonly now?: () => WallTime;
}

/** What the joiner takes away: a verified set, and addresses to begin with. Nothing is written to disk here. */
export interface Joined {
  readonly membership: MembershipSet;
  readonly addresses: readonly string[];
  readonly role: Role;
  readonly words: readonly string[];
}

const dialTimeoutMs = 10_000;
const answerTimeoutMs = 15_000;
/** The longest an invitation can live, so the longest a person can take. */
const decisionTimeoutMs = 86_400_000;

/**
 * Asks to be let in with a link. Fails with `invitation-malformed`, `-expired`, `-used`, `-wrong-secret`, `-foreign`,
 * `-denied`, `peer-unreachable`, `timed-out` or `cancelled`. Never throws.
 */
export async function joinWithLink(link: string, options: JoinOptions): Promise<Result<Joined>> {
  const parsed = parseInvitation(link);
  if (!parsed.ok) return parsed;
  const invitation = parsed.value;
  if (invitation.inviter === options.identity.id) {
    return fail(
      'invitation-foreign',
      'This machine made the invitation itself.',
      'Open the link on the machine that is to join.',
    );
  }
  const node = await createPairingNode(options.identity, []);
  try {
    await node.start();
    const channel = await dial(node, invitation, options);
    return channel.ok ? await converse(channel.value, invitation, options) : channel;
  } catch (cause) {
    if (options.signal?.aborted === true) return fail('cancelled', 'Joining was cancelled.');
    if (cause instanceof FailureError) return { ok: false, failure: cause.failure };
    return fail('internal', `Joining failed: ${cause instanceof Error ? cause.message : String(cause)}.`);
  } finally {
    await node.stop();
  }
}

async function dial(node: Libp2p, invitation: Invitation, options: JoinOptions): Promise<Result<PairingChannel>> {
  const { inviter, addresses, swarmName, expiresAt } = invitation;
  const timeout = AbortSignal.timeout(dialTimeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  try {
    const targets = addresses.map((address) => multiaddr(`${address}/p2p/${inviter}`));
    const stream = await node.dialProtocol(targets, pairingProtocol, { signal });
    const channel = new PairingChannel(inviter, stream);
    options.signal?.addEventListener(
      'abort',
      () => {
        channel.close('cancelled');
      },
      { once: true },
    );
    return ok(channel);
  } catch (cause) {
    if (options.signal?.aborted === true) return fail('cancelled', 'Joining was cancelled.');
    if (isOtherPeer(cause)) {
      return fail(
        'invitation-foreign',
        'Another machine answers at the address in the invitation.',
        'Ask for a new invitation.',
      );
    }
    // Asked only now, because this machine's clock may be wrong and the inviter's is the one that counts.
    if ((options.now?.() ?? Date.now()) >= expiresAt)
      return fail('invitation-expired', `The invitation to ${swarmName} has expired.`, 'Ask for a new invitation.');
    return fail(
      'peer-unreachable',
      `The inviting machine does not answer at ${addresses.join(', ') || 'any address'}.`,
      'Check that both machines are in the same network and that the inviting one still shows the invitation.',
    );
  }
}

async function converse(
  channel: PairingChannel,
  invitation: Invitation,
  options: JoinOptions,
): Promise<Result<Joined>> {
  const { swarm, inviter, secret } = invitation;
  const joinerNonce = freshNonce();
  await channel.send({ type: 'hello', swarm, nonce: joinerNonce, name: options.name, os: options.os });
  const challenge = await channel.receive({ bytesMax: pairingHelloBytesMax, timeoutMs: answerTimeoutMs });
  if (challenge.type !== 'challenge') return refusalOf(challenge);
  const transcript: Transcript = {
    swarm,
    inviter,
    joiner: options.identity.id,
    inviterNonce: challenge.nonce,
    joinerNonce,
  };
  const words = comparisonWords(secret, transcript);
  options.onWords?.(words);
  await channel.send({ type: 'proof', proof: proofOf(secret, 'joiner', transcript) });
  const answer = await channel.receive({ bytesMax: pairingMessageBytesMax, timeoutMs: decisionTimeoutMs });
  if (answer.type !== 'admitted') return refusalOf(answer);
  if (!proofsMatch(answer.proof, proofOf(secret, 'inviter', transcript)))
    return foreign('The inviting machine does not know the secret of the invitation.');
  const decoded = decodeMembership(answer.membership);
  if (!decoded.ok) return decoded;
  const membership = decoded.value;
  if (membership.swarm !== swarm) return foreign('The inviting machine answered with another swarm.');
  const member = membership.member(options.identity.id);
  if (member === undefined) return foreign('The inviting machine sent no valid grant for this one.');
  return ok({ membership, addresses: answer.addresses, role: member.role, words });
}

const refusalOf = (message: PairingMessage): Result<never> =>
  message.type === 'refused'
    ? { ok: false, failure: message.failure }
    : fail('malformed', 'The inviting machine answered something that has no place in pairing.');

const foreign = (message: string): Result<never> =>
  fail('invitation-foreign', message, 'Do not join; ask for a new invitation.');

/** The handshake says whose key answered; the library wraps that once per address. */
function isOtherPeer(cause: unknown): boolean {
  if (cause instanceof AggregateError) return cause.errors.some(isOtherPeer);
  return (
    cause instanceof Error &&
    (cause.name === 'UnexpectedPeerError' || /unexpected peer|does not match/i.test(cause.message))
  );
}
