import { createHash } from 'node:crypto';
import { fail, ok } from '../../shared/domain/failure.ts';
import type { Result } from '../../shared/domain/failure.ts';
import { swarmId, wallTime } from '../../shared/domain/ids.ts';
import type { NodeId, SwarmId, WallTime } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/member.ts';
import { isName, isRole, parseJson } from './records.ts';
import { isNodeId } from './signature.ts';

/** What an invitation link holds. Whoever has it before it is used may ask to join: it is a secret for minutes. */
export interface Invitation {
  readonly swarm: SwarmId;
  readonly swarmName: string;
  readonly inviter: NodeId;
  /** Where the inviter listens for pairing, without its id. */
  readonly addresses: readonly string[];
  /** 128 bits in hex, good for one admission. */
  readonly secret: string;
  readonly role: Role;
  readonly expiresAt: WallTime;
}

const prefix = 'skein://join/';
export const linkCharsMax = 4_096;
const checksumBytes = 4;
export const invitationAddressesMax = 8;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** The link for an invitation: base32, so that it survives mail, speech and case changes. */
export function formatInvitation(invitation: Invitation): string {
  const { swarm, swarmName, inviter, addresses, secret, role, expiresAt } = invitation;
  const payload = Buffer.from(
    JSON.stringify([1, swarm, swarmName, inviter, addresses.slice(0, invitationAddressesMax), secret, role, expiresAt]),
  );
  return prefix + encodeBase32(Buffer.concat([payload, checksumOf(payload)]));
}

/** Reads a link. Fails with `invitation-malformed`, or `unsupported-version` for one of a newer program. Never throws. */
export function parseInvitation(link: string): Result<Invitation> {
  const text = link.trim().toLowerCase();
  if (text.length > linkCharsMax || !text.startsWith(prefix))
    return malformed('it does not begin with skein://join/ or is too long');
  const bytes = decodeBase32(text.slice(prefix.length).replace(/\/$/, ''));
  if (bytes === null || bytes.length <= checksumBytes)
    return malformed('it holds characters that no invitation has, or is cut short');
  const payload = bytes.subarray(0, -checksumBytes);
  if (!checksumOf(payload).equals(bytes.subarray(-checksumBytes))) return malformed('it is cut short or mistyped');
  const fields = parseJson(payload.toString('utf8'));
  if (!Array.isArray(fields)) return malformed('its content makes no sense');
  return fromFields(fields);
}

function fromFields(fields: readonly unknown[]): Result<Invitation> {
  const [version, swarm, swarmName, inviter, addresses, secret, role, expiresAt] = fields;
  if (version !== 1)
    return fail('unsupported-version', 'The invitation was made by a newer program.', 'Update Skein on this machine.');
  const isWhole =
    isHex(swarm, 64) &&
    isName(swarmName) &&
    isNodeId(inviter) &&
    isAddresses(addresses) &&
    isHex(secret, 32) &&
    isRole(role) &&
    Number.isSafeInteger(expiresAt);
  if (!isWhole) return malformed('its content makes no sense');
  return ok({
    swarm: swarmId(swarm),
    swarmName,
    inviter,
    addresses,
    secret,
    role,
    expiresAt: wallTime(Number(expiresAt)),
  });
}

const isHex = (value: unknown, chars: number): value is string =>
  typeof value === 'string' && value.length === chars && /^[0-9a-f]+$/.test(value);

const isAddresses = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= invitationAddressesMax &&
  value.every((item) => typeof item === 'string' && item.length <= 200);

const checksumOf = (payload: Uint8Array): Buffer =>
  createHash('sha256').update('skein-invitation-1').update(payload).digest().subarray(0, checksumBytes);

const malformed = (
  why: string,
): { ok: false; failure: { code: 'invitation-malformed'; message: string; hint: string } } => ({
  ok: false,
  failure: {
    code: 'invitation-malformed',
    message: `This is not a whole invitation: ${why}.`,
    hint: 'Copy the whole link again, or ask for a new invitation.',
  },
});

/** RFC 4648 §6 without padding, in lower case. */
function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31] ?? '';
  }
  return bits === 0 ? text : text + (alphabet[(value << (5 - bits)) & 31] ?? '');
}

function decodeBase32(text: string): Buffer | null {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return null;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >>> bits) & 255);
  }
  return Buffer.from(bytes);
}
