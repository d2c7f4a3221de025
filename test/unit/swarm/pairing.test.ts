import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeId, swarmId } from '../../../shared/domain/ids.ts';
import {
  comparisonWords,
  decodePairing,
  encodePairing,
  freshNonce,
  proofOf,
  proofsMatch,
} from '../../../src-main/swarm/pairing.ts';
import type { PairingMessage, Transcript } from '../../../src-main/swarm/pairing.ts';
import { wordsOf } from '../../../src-main/swarm/words.ts';

const transcript: Transcript = {
  swarm: swarmId('ab'.repeat(32)),
  inviter: nodeId('inviter'),
  joiner: nodeId('joiner'),
  inviterNonce: '11'.repeat(16),
  joinerNonce: '22'.repeat(16),
};
const secret = '0123456789abcdef0123456789abcdef';

test('there is one distinct short word for every byte', () => {
  const words = wordsOf(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  expect(new Set(words).size).toBe(256);
  expect(words.every((word) => /^[a-z]{3,5}$/.test(word))).toBe(true);
});

test('a proof depends on the secret, the side and every part of the transcript', () => {
  const others = Object.keys(transcript).map((key) => proofOf(secret, 'joiner', { ...transcript, [key]: 'other' }));
  const proofs = [
    proofOf(secret, 'joiner', transcript),
    proofOf(secret, 'inviter', transcript),
    proofOf('ff'.repeat(16), 'joiner', transcript),
    ...others,
  ];
  expect(new Set(proofs).size).toBe(proofs.length);
  expect(proofsMatch(proofs[0] ?? '', proofOf(secret, 'joiner', { ...transcript }))).toBe(true);
  expect(proofsMatch(proofs[0] ?? '', '')).toBe(false);
});

test('the words follow from the transcript', () => {
  expect(comparisonWords(secret, transcript)).toEqual(comparisonWords(secret, { ...transcript }));
  expect(comparisonWords(secret, { ...transcript, inviterNonce: freshNonce() })).not.toEqual(
    comparisonWords(secret, transcript),
  );
});

test('messages survive the wire, and nothing else makes the decoder throw', () => {
  const messages: PairingMessage[] = [
    { type: 'hello', swarm: transcript.swarm, nonce: transcript.joinerNonce, name: 'laptop', os: 'linux x64' },
    { type: 'challenge', nonce: transcript.inviterNonce },
    { type: 'proof', proof: proofOf(secret, 'joiner', transcript) },
    {
      type: 'admitted',
      proof: proofOf(secret, 'inviter', transcript),
      membership: '{}',
      addresses: ['/ip4/1.2.3.4/tcp/5'],
    },
    { type: 'refused', failure: { code: 'invitation-used', message: 'used', hint: undefined } },
  ];
  expect(messages.map((message) => decodePairing(encodePairing(message)))).toEqual(messages);
  const hostile = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => new Uint8Array(Buffer.from(text))),
    fc.json().map((text) => new Uint8Array(Buffer.from(`{"type":"hello","name":${text}}`))),
  );
  fc.assert(
    fc.property(hostile, (bytes) => {
      expect(decodePairing(bytes)).toBeNull();
    }),
  );
});
