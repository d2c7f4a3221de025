import { createHash, randomBytes } from 'node:crypto';
import { fail, ok } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/failure.ts';
import { nodeId, swarmId, wallTime } from '../../shared/domain/ids.ts';
import type { NodeId, SwarmId, WallTime } from '../../shared/domain/ids.ts';
import { roles } from '../../shared/domain/member.ts';
import type { Grant, Revocation, Role } from '../../shared/domain/member.ts';
import { isNodeId, verifySignature } from './signature.ts';
import type { Signer } from './signature.ts';

/** The founder's signed word that a swarm exists. Its bytes name the swarm. */
export interface Genesis {
  readonly version: 1;
  readonly name: string;
  readonly founder: NodeId;
  readonly founderName: string;
  readonly createdAt: WallTime;
  /** 128 random bits in hex, so that two swarms of one founder and name differ. */
  readonly nonce: string;
}

/** A record as it travels and is kept: the exact signed text, so that no re-encoding can break a signature. */
export interface SignedRecord {
  readonly text: string;
  /** Ed25519 in base64. */
  readonly signature: string;
}

export type MembershipRecord =
  | { readonly kind: 'grant'; readonly body: Grant; readonly signed: SignedRecord }
  | { readonly kind: 'revocation'; readonly body: Revocation; readonly signed: SignedRecord };

export const nameCharsMax = 60;
export const revocationReasonCharsMax = 200;
const recordCharsMax = 2_048;
/** Times and serials stay far below the precision of a number, so that adding one to the largest always works. */
const countMax = 2 ** 52;

/** Signs a new swarm into existence. `nonce` is given by tests only. */
export function createGenesis(
  signer: Signer,
  options: {
    readonly name: string;
    readonly founderName: string;
    readonly createdAt: WallTime;
    readonly nonce?: string;
  },
): SignedRecord {
  const nonce = options.nonce ?? randomBytes(16).toString('hex');
  return signRecord(signer, {
    type: 'genesis',
    version: 1,
    name: options.name,
    founder: signer.id,
    founderName: options.founderName,
    createdAt: options.createdAt,
    nonce,
  });
}

/** SHA-256 over text and signature: whoever holds the id can check the whole record against it. */
export const swarmIdOf = (genesis: SignedRecord): SwarmId =>
  swarmId(createHash('sha256').update(`${genesis.text}\n${genesis.signature}`).digest('hex'));

export const signGrant = (signer: Signer, grant: Omit<Grant, 'admin'>): SignedRecord =>
  signRecord(signer, {
    type: 'grant',
    version: 1,
    swarm: grant.swarm,
    member: grant.member,
    name: grant.name,
    role: grant.role,
    issuedAt: grant.issuedAt,
    serial: grant.serial,
    admin: signer.id,
  });

export const signRevocation = (signer: Signer, revocation: Omit<Revocation, 'admin'>): SignedRecord =>
  signRecord(signer, {
    type: 'revocation',
    version: 1,
    swarm: revocation.swarm,
    member: revocation.member,
    reason: revocation.reason,
    issuedAt: revocation.issuedAt,
    serial: revocation.serial,
    admin: signer.id,
  });

/** Checks form and signature. Fails with `malformed` or `unsupported-version`; never throws. */
export function parseGenesis(value: unknown): Result<{ readonly genesis: Genesis; readonly signed: SignedRecord }> {
  const parsed = parseSigned(value);
  if (!parsed.ok) return parsed;
  const { fields, signed } = parsed.value;
  if (fields['type'] !== 'genesis') return malformed('a genesis record');
  const { name, founder, founderName, createdAt, nonce } = fields;
  if (!isName(name) || !isNodeId(founder) || !isName(founderName) || !isCount(createdAt) || !isNonce(nonce))
    return malformed('a genesis record');
  if (!isSignedBy(founder, signed)) return malformed('a genesis record with a valid signature');
  return ok({ genesis: { version: 1, name, founder, founderName, createdAt: wallTime(createdAt), nonce }, signed });
}

/** Checks form, swarm and signature of a grant or revocation. Fails with `malformed` or `unsupported-version`. */
export function parseMembershipRecord(swarm: SwarmId, value: unknown): Result<MembershipRecord> {
  const parsed = parseSigned(value);
  if (!parsed.ok) return parsed;
  const { fields, signed } = parsed.value;
  const { type, member, issuedAt, serial, admin } = fields;
  if (fields['swarm'] !== swarm || !isNodeId(member) || !isNodeId(admin) || !isCount(issuedAt) || !isCount(serial))
    return malformed('a membership record');
  const common = { swarm, member: nodeId(member), issuedAt: wallTime(issuedAt), serial, admin: nodeId(admin) };
  if (!isSignedBy(admin, signed)) return malformed('a membership record with a valid signature');
  const { name, role, reason } = fields;
  if (type === 'grant' && isName(name) && isRole(role))
    return ok({ kind: 'grant', body: { ...common, name, role }, signed });
  if (type === 'revocation' && typeof reason === 'string' && reason.length <= revocationReasonCharsMax) {
    return ok({ kind: 'revocation', body: { ...common, reason }, signed });
  }
  return malformed('a membership record');
}

export const isRole = (value: unknown): value is Role =>
  typeof value === 'string' && (roles as readonly string[]).includes(value);

/** A name people read: no control characters, so that it cannot rearrange a terminal. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length >= 1 &&
  value.length <= nameCharsMax &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value);

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= countMax;

const isNonce = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);

/** The purpose is part of what is signed, so that no signature of ours for something else passes as a record. */
const signedBytes = (text: string): Uint8Array => Buffer.from(`skein-membership-1\n${text}`);

function signRecord(signer: Signer, fields: Readonly<Record<string, string | number>>): SignedRecord {
  const text = JSON.stringify(fields);
  return { text, signature: Buffer.from(signer.sign(signedBytes(text))).toString('base64') };
}

const isSignedBy = (id: NodeId, signed: SignedRecord): boolean =>
  verifySignature(id, signedBytes(signed.text), Buffer.from(signed.signature, 'base64'));

function parseSigned(
  value: unknown,
): Result<{ readonly fields: Readonly<Record<string, unknown>>; readonly signed: SignedRecord }> {
  if (!isObject(value)) return malformed('a signed record');
  const { text, signature } = value;
  if (typeof text !== 'string' || text.length > recordCharsMax) return malformed('a signed record');
  // One spelling only: 64 bytes in canonical base64, or one record could enter a set many times.
  if (typeof signature !== 'string' || !/^[A-Za-z0-9+/]{85}[AQgw]==$/.test(signature))
    return malformed('a signed record');
  const fields = parseJson(text);
  if (!isObject(fields)) return malformed('a signed record');
  if (fields['version'] !== 1) {
    return fail(
      'unsupported-version',
      'A membership record has a version this program does not know.',
      'Update Skein on this machine.',
    );
  }
  return ok({ fields, signed: { text, signature } });
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON as it is, or null for anything that is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

const malformed = (what: string): { ok: false; failure: { code: 'malformed'; message: string } } => ({
  ok: false,
  failure: { code: 'malformed', message: `What was received is not ${what}.` },
});
