import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeId, swarmId, wallTime } from '../../../shared/domain/ids.ts';
import { formatInvitation, parseInvitation } from '../../../src-main/swarm/invitation.ts';
import type { Invitation } from '../../../src-main/swarm/invitation.ts';

const invitation: Invitation = {
  swarm: swarmId('ab'.repeat(32)),
  swarmName: 'Küche & Büro',
  inviter: nodeId('12D3KooWEgfaZAfEZDfBTm3dWbW1v7mCbuCfwtJxikyQnd8ho1Zs'),
  addresses: ['/ip4/192.168.1.20/tcp/40123'],
  secret: '0123456789abcdef0123456789abcdef',
  role: 'worker',
  expiresAt: wallTime(1_800_000_000_000),
};
const link = formatInvitation(invitation);
const codeOf = (text: string): string => {
  const parsed = parseInvitation(text);
  return parsed.ok ? 'ok' : parsed.failure.code;
};

test('a link gives back the invitation it was made from, also in capitals and with white space around', () => {
  expect([parseInvitation(link), parseInvitation(` ${link.toUpperCase()}\n`)]).toEqual([
    { ok: true, value: invitation },
    { ok: true, value: invitation },
  ]);
});

test('every truncation of a link is malformed', () => {
  const codes = new Set(Array.from({ length: link.length }, (_, length) => codeOf(link.slice(0, length))));
  expect([...codes]).toEqual(['invitation-malformed']);
});

test('a link with one character changed is malformed', () => {
  const start = 'skein://join/'.length;
  fc.assert(
    fc.property(
      fc.integer({ min: start, max: link.length - 3 }),
      fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567'),
      (at, character) => {
        fc.pre(link[at] !== character);
        expect(codeOf(link.slice(0, at) + character + link.slice(at + 1))).toBe('invitation-malformed');
      },
    ),
  );
});

test('no text whatever makes the parser throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `skein://join/${text}`),
        fc.base64String().map((text) => `skein://join/${text}`),
      ),
      (text) => {
        expect(parseInvitation(text).ok).toBe(false);
      },
    ),
  );
});
