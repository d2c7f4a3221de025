import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NoiseMessages } from '../../../../src-main/adapters/libp2p/lean-noise.ts';

const sealed = (...messages: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      return [length, message];
    }),
  );

const cutBy = (decoder: NoiseMessages, arrived: Uint8Array): Uint8Array[] =>
  Array.from(decoder.decode(arrived), (message) => Uint8Array.from(message));

describe('messages of an encrypted connection', () => {
  const messages = [1, 255, 256, 65_535, 40].map((length) => new Uint8Array(randomBytes(length)));
  const bytes = sealed(...messages);

  it.each([1, 2, 3, 100, 65_537, bytes.length])('are cut out whole when %i bytes arrive at a time', (chunkBytes) => {
    const decoder = new NoiseMessages();
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes)
      found.push(...cutBy(decoder, bytes.subarray(at, at + chunkBytes)));
    expect(found).toEqual(messages);
    expect(decoder.buffer).toHaveLength(0);
  });

  it('continue what had begun to arrive before', () => {
    const [whole = new Uint8Array()] = messages;
    const decoder = new NoiseMessages(bytes.subarray(0, 1));
    expect(cutBy(decoder, bytes.subarray(1, 3))).toEqual([whole]);
  });

  it('may be empty, which says nothing', () => {
    const seven = new Uint8Array([7]);
    expect(cutBy(new NoiseMessages(), sealed(new Uint8Array(), seven))).toEqual([seven]);
  });
});
