import { describe, expect, it } from 'vitest';
import { FailureError } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import { StreamReader, writeMessage } from '../../../src-main/services/stream-messages.ts';
import { streamPair } from './paired-streams.ts';

const [left, right] = [nodeId('left'), nodeId('right')];

describe('messages on a stream', () => {
  it('arrive whole, whatever pieces they came in, with raw bytes between them', async () => {
    const { atLeft, atRight } = streamPair(left, right, 3);
    await writeMessage(atLeft, { name: 'größe', list: [1, 2] });
    await atLeft.write(Buffer.from('raw bytes'));
    await writeMessage(atLeft, 'after');
    await atLeft.closeWrite();
    const reader = new StreamReader(atRight);
    expect(await reader.message(1_000)).toEqual({ name: 'größe', list: [1, 2] });
    const parts: Uint8Array[] = [];
    for await (const part of reader.bytes(9)) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe('raw bytes');
    expect(await reader.message(1_000)).toBe('after');
    expect(await reader.message(1_000)).toBeNull();
  });

  it.each([
    ['a length beyond what is allowed', [0xff, 0xff, 0xff, 0xff]],
    ['an end within the length', [0, 0]],
    ['an end within the text', [0, 0, 0, 9, 0x7b]],
    ['something that is not JSON', [0, 0, 0, 1, 0x7b]],
  ])('are refused as malformed when they hold %s', async (_what, bytes) => {
    const { atLeft, atRight } = streamPair(left, right);
    await atLeft.write(Uint8Array.from(bytes));
    await atLeft.closeWrite();
    const failure = await new StreamReader(atRight).message(1_000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FailureError);
    expect(failure).toMatchObject({ failure: { code: 'malformed' } });
  });
});
