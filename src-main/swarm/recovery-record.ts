import { fail, ok, type Result } from '../../shared/domain/failure.ts';
import { nodeId, swarmId, wallTime, type NodeId, type SwarmId, type WallTime } from '../../shared/domain/ids.ts';
import { isObject, parseJson, type SignedRecord } from './records.ts';
import { isNodeId, verifySignature, type Signer } from './signature.ts';

/** An admin's signed word that a swarm goes on without some of its voters, in a new epoch that one machine opens. */
export interface RecoveryOrder {
  readonly swarm: SwarmId;
  readonly epoch: number;
  readonly opener: NodeId;
  /** Machines that are given up, as the admin named them. */
  readonly abandoned: readonly NodeId[];
  readonly issuedAt: WallTime;
  readonly admin: NodeId;
}

const abandonedMax = 16;
const recordCharsMax = 4_096;

/** The purpose is part of what is signed, so that no signature for anything else passes as an order to recover. */
const signedBytes = (text: string): Uint8Array => Buffer.from(`skein-recovery-1\n${text}`);

export function signRecovery(signer: Signer, order: Omit<RecoveryOrder, 'admin'>): SignedRecord {
  const { swarm, epoch, opener, abandoned, issuedAt } = order;
  const fields = { type: 'recovery', version: 1, swarm, epoch, opener, abandoned, issuedAt, admin: signer.id };
  const text = JSON.stringify(fields);
  return { text, signature: Buffer.from(signer.sign(signedBytes(text))).toString('base64') };
}

/**
 * Checks form, swarm and signature; whether the signer is an admin is for the caller to look up. Fails with
 * `malformed`, `unsupported-version` or `not-authorised`.
 */
export function parseRecovery(swarm: SwarmId, value: unknown): Result<RecoveryOrder> {
  if (!isObject(value) || typeof value['text'] !== 'string' || typeof value['signature'] !== 'string') return malformed;
  const { text, signature } = { text: value['text'], signature: value['signature'] };
  const fields = text.length <= recordCharsMax ? parseJson(text) : null;
  if (!isObject(fields) || fields['type'] !== 'recovery') return malformed;
  if (fields['version'] !== 1)
    return fail(
      'unsupported-version',
      'The order to recover has a version this program does not know.',
      'Update Skein.',
    );
  const { epoch, opener, abandoned, issuedAt, admin } = fields;
  if (!isCount(epoch) || !isNodeId(opener) || !isNodeId(admin) || !isCount(issuedAt)) return malformed;
  if (!Array.isArray(abandoned) || abandoned.length > abandonedMax || !abandoned.every(isNodeId)) return malformed;
  if (fields['swarm'] !== swarm) return fail('not-authorised', 'The order to recover is for another swarm.');
  if (!verifySignature(admin, signedBytes(text), Buffer.from(signature, 'base64')))
    return fail('not-authorised', 'The order to recover has no valid signature.');
  return ok({
    swarm: swarmId(swarm),
    epoch,
    opener,
    abandoned: abandoned.map((id) => nodeId(id)),
    issuedAt: wallTime(issuedAt),
    admin,
  });
}

const malformed = fail('malformed', 'What was received is not an order to recover.');

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 2 ** 52;
