import { createPrivateKey, sign } from 'node:crypto';
import { join } from 'node:path';
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import { readSmallFile, writeFileAtomically } from '../../swarm/atomic-file.ts';
import type { Signer } from '../../swarm/signature.ts';

/** This machine: its key, and the id that follows from it. */
export interface Identity extends Signer {
  readonly privateKey: Ed25519PrivateKey;
}

const keyFileBytesMax = 1_024;
/** The fixed beginning of an Ed25519 private key in PKCS #8 (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The machine's identity, made on first use. Fails with `corrupt` when the file is damaged: making a new key silently
 * would turn the machine into a stranger.
 */
export async function openIdentity(home: string): Promise<Result<Identity>> {
  const path = join(home, 'identity.key');
  const read = await readSmallFile(path, keyFileBytesMax);
  if (!read.ok) return read;
  if (read.value !== null) return parseKey(path, read.value);
  const privateKey = await generateKeyPair('Ed25519');
  const written = await writeFileAtomically(path, privateKeyToProtobuf(privateKey));
  return written.ok ? ok(identityOf(privateKey)) : written;
}

/** An identity that lives only in memory. */
export const createIdentity = async (): Promise<Identity> => identityOf(await generateKeyPair('Ed25519'));

function parseKey(path: string, bytes: Uint8Array): Result<Identity> {
  const damaged = fail(
    'corrupt',
    `${path} does not hold an Ed25519 key.`,
    'Restore it from a backup, or remove it and join the swarm again as a new machine.',
  );
  try {
    const privateKey = privateKeyFromProtobuf(bytes);
    return privateKey.type === 'Ed25519' ? ok(identityOf(privateKey)) : damaged;
  } catch {
    return damaged;
  }
}

function identityOf(privateKey: Ed25519PrivateKey): Identity {
  const seed = privateKey.raw.subarray(0, 32);
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  return {
    id: nodeId(peerIdFromPrivateKey(privateKey).toString()),
    privateKey,
    sign: (bytes) => new Uint8Array(sign(null, bytes, key)),
  };
}
