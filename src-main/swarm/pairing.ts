import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { failureCodes } from '../../shared/domain/failure.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { NodeId, SwarmId } from '../../shared/domain/ids.ts';
import { isName, isObject, parseJson } from './records.ts';
import { wordsOf } from './words.ts';

/**
 * What the two sides say while pairing, over a channel that has already proved both ids:
 * joiner `hello` → inviter `challenge` → joiner `proof` → inviter `admitted` or `refused`.
 */
export type PairingMessage =
  | {
      readonly type: 'hello';
      readonly swarm: string;
      readonly nonce: string;
      readonly name: string;
      readonly os: string;
    }
  | { readonly type: 'challenge'; readonly nonce: string }
  | { readonly type: 'proof'; readonly proof: string }
  | {
      readonly type: 'admitted';
      readonly proof: string;
      readonly membership: string;
      readonly addresses: readonly string[];
    }
  | { readonly type: 'refused'; readonly failure: Failure };

/** All that both proofs are bound to. Fresh nonces of both sides make a recorded proof worthless. */
export interface Transcript {
  readonly swarm: SwarmId;
  readonly inviter: NodeId;
  readonly joiner: NodeId;
  readonly inviterNonce: string;
  readonly joinerNonce: string;
}

export const pairingMessageBytesMax = 6 * 1_024 * 1_024;
/** Before the secret is proved nobody may make us hold more than this. */
export const pairingHelloBytesMax = 4 * 1_024;
const osCharsMax = 60;
const addressesMax = 1_000;

export const freshNonce = (): string => randomBytes(16).toString('hex');

/** Shows knowledge of the secret without showing the secret. The side is part of it, so that neither can be echoed back. */
export const proofOf = (secret: string, side: 'joiner' | 'inviter', transcript: Transcript): string =>
  createHmac('sha256', Buffer.from(secret, 'hex'))
    .update(`skein-pairing-1 ${side}\n`)
    .update(transcriptText(transcript))
    .digest('hex');

/** Compares without telling by its time how much was right. */
export function proofsMatch(left: string, right: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(left), hash(right));
}

/** Four short words that both screens show: they agree only if nobody sits in between. */
export const comparisonWords = (secret: string, transcript: Transcript): readonly string[] =>
  wordsOf(
    createHmac('sha256', Buffer.from(secret, 'hex'))
      .update('skein-pairing-1 words\n')
      .update(transcriptText(transcript))
      .digest()
      .subarray(0, 4),
  );

const transcriptText = ({ swarm, inviter, joiner, inviterNonce, joinerNonce }: Transcript): string =>
  JSON.stringify([swarm, inviter, joiner, inviterNonce, joinerNonce]);

export const encodePairing = (message: PairingMessage): Uint8Array => Buffer.from(JSON.stringify(message));

/** Null for anything that is no pairing message; never throws. */
export function decodePairing(bytes: Uint8Array): PairingMessage | null {
  const fields = bytes.length <= pairingMessageBytesMax ? parseJson(Buffer.from(bytes).toString('utf8')) : null;
  if (!isObject(fields)) return null;
  const { type, swarm, nonce, name, os, proof, membership, addresses, failure } = fields;
  switch (type) {
    case 'hello':
      return isHex(swarm, 64) && isHex(nonce, 32) && isName(name) && isOs(os) ? { type, swarm, nonce, name, os } : null;
    case 'challenge':
      return isHex(nonce, 32) ? { type, nonce } : null;
    case 'proof':
      return isHex(proof, 64) ? { type, proof } : null;
    case 'admitted':
      return isHex(proof, 64) && typeof membership === 'string' && isAddresses(addresses)
        ? { type, proof, membership, addresses }
        : null;
    case 'refused':
      return isObject(failure) ? refusal(failure) : null;
    default:
      return null;
  }
}

function refusal(failure: Readonly<Record<string, unknown>>): PairingMessage | null {
  const code = failureCodes.find((known) => known === failure['code']);
  const { message, hint } = failure;
  if (code === undefined || typeof message !== 'string' || message.length > 400) return null;
  return {
    type: 'refused',
    failure: { code, message, hint: typeof hint === 'string' ? hint.slice(0, 400) : undefined },
  };
}

const isHex = (value: unknown, chars: number): value is string =>
  typeof value === 'string' && value.length === chars && /^[0-9a-f]+$/.test(value);

const isOs = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= osCharsMax && !/\p{Cc}/u.test(value);

const isAddresses = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= addressesMax &&
  value.every((item) => typeof item === 'string' && item.length <= 200);
