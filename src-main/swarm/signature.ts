import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { NodeId } from '../../shared/domain/ids.ts';

/** Whoever can sign as one machine. */
export interface Signer {
  readonly id: NodeId;
  /** Ed25519 over exactly these bytes; 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

const base58Alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** An identity multihash of 36 bytes holding a protobuf of type Ed25519 with 32 key bytes (libp2p peer id specification). */
const peerIdPrefix = Uint8Array.from([0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
const peerIdBytes = 38;
const nodeIdCharsMax = 64;
/** The fixed beginning of an Ed25519 SubjectPublicKeyInfo (RFC 8410 §4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Keys already unpacked; members are few, and everything else only passes through. */
const keysKeptMax = 1_024;
const keys = new Map<NodeId, KeyObject>();

/** The 32 public key bytes inside a node id, or null if it is not the id of an Ed25519 key. */
export function publicKeyOf(id: string): Uint8Array | null {
  if (id.length === 0 || id.length > nodeIdCharsMax) return null;
  const bytes = decodeBase58(id);
  if (bytes === null || bytes.length !== peerIdBytes) return null;
  if (!peerIdPrefix.every((byte, index) => bytes[index] === byte)) return null;
  return bytes.subarray(peerIdPrefix.length);
}

/** True only for text that is the canonical id of an Ed25519 machine. */
export const isNodeId = (text: unknown): text is NodeId => typeof text === 'string' && publicKeyOf(text) !== null;

/** Checks a signature against the key inside the id. Never throws, whatever it is given. */
export function verifySignature(id: NodeId, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const key = keyOf(id);
  if (key === null) return false;
  try {
    return verify(null, bytes, key, signature);
  } catch (cause) {
    // A point that is not on the curve is refused by the library with an exception; to us it is a bad signature.
    return cause === undefined;
  }
}

function keyOf(id: NodeId): KeyObject | null {
  const known = keys.get(id);
  if (known !== undefined) return known;
  const raw = publicKeyOf(id);
  if (raw === null) return null;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  if (keys.size >= keysKeptMax) keys.clear();
  keys.set(id, key);
  return key;
}

function decodeBase58(text: string): Uint8Array | null {
  let value = 0n;
  for (const character of text) {
    const digit = base58Alphabet.indexOf(character);
    if (digit < 0) return null;
    value = value * 58n + BigInt(digit);
  }
  const zeros = /^1*/.exec(text)?.[0].length ?? 0;
  const hex = value === 0n ? '' : value.toString(16);
  const body = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.alloc(zeros), body]);
}
