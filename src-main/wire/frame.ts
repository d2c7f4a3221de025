/**
 * Frames between nodes: a protobuf message of a format version and the messages, in order.
 *
 *   message Frame {
 *     uint64 version = 1;                 // 1
 *     repeated NodeMessage messages = 2;  // ≤ 4096 items
 *   }
 */
import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Result } from '../../shared/domain/failure.ts';
import { frameBytesMax } from '../core/machine/limits.ts';
import type { NodeMessage } from '../core/node/messages.ts';
import { encode, guarded, written } from './codec.ts';
import { nodeMessage } from './messages.ts';
import { Malformed, Reader } from './reader.ts';

export const frameVersion = 1;

/** Messages in one frame: as many as a drain of a full window can leave for one peer. */
export const messagesPerFrameMax = 4_096;

/** Bytes after which a frame takes no further message: large enough to amortise a write, small against its limit. */
export const frameBytesWanted = 1_024 * 1_024;

const versionTag = 8;
const messageTag = 18;

/** Frames that carry `messages` in order: one, unless they are large. Asserts on a message that is out of its bounds. */
export function encodeFrames(messages: readonly NodeMessage[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  let next = 0;
  while (next < messages.length) {
    const frame = written((writer) => {
      next = writeFrame(writer, messages, next);
    });
    frames.push(frame);
  }
  return frames;
}

/** Answers the index of the first message that did not fit. */
function writeFrame(writer: BinaryWriter, messages: readonly NodeMessage[], first: number): number {
  writer.uint32(versionTag).uint32(frameVersion);
  let bytes = 0;
  let next = first;
  while (bytes < frameBytesWanted && next < first + messagesPerFrameMax) {
    const message = messages[next];
    if (message === undefined) break;
    writer.uint32(messageTag);
    bytes += writeMessage(writer, message);
    next += 1;
  }
  return next;
}

/** Small messages go straight into the frame; those with entries are measured, because only they can be large. */
function writeMessage(writer: BinaryWriter, message: NodeMessage): number {
  if (!isLarge(message)) {
    nodeMessage.write(writer, message);
    return smallMessageBytes;
  }
  const encoded = encode(nodeMessage, message);
  writer.raw(encoded);
  return encoded.length;
}

const smallMessageBytes = 1_024;

function isLarge(message: NodeMessage): boolean {
  switch (message.type) {
    case 'accept':
    case 'learn-reply':
      return message.entries.length > 4;
    case 'promise':
      return message.votes.length > 4;
    case 'propose':
      return message.requests.length > 4;
    case 'snapshot-part':
      return true;
    default:
      return false;
  }
}

/** What one frame carries. */
export interface Frame {
  readonly messages: readonly NodeMessage[];
  /** Messages of a newer program that cannot be read here, in kind or in what they hold; to the protocols they are lost. */
  readonly passedOver: number;
}

/**
 * Reads a frame. Never throws; one with a malformed message is refused whole, and a message that only a newer program
 * understands is passed over, so that the others are heard.
 */
export function decodeFrame(bytes: Uint8Array): Result<Frame> {
  return guarded(() => {
    if (bytes.length > frameBytesMax) throw new Malformed('limit-reached', `a frame has ${bytes.length} bytes`);
    // A voter writes the entries of an accept into its journal as they came.
    const reader = new Reader(bytes, true);
    if (reader.uint53() !== versionTag) throw new Malformed('malformed', 'a frame does not begin with its version');
    const version = reader.uint53();
    if (version !== frameVersion)
      throw new Malformed('unsupported-version', `a frame has version ${version}, not ${frameVersion}`);
    const messages: NodeMessage[] = [];
    let passedOver = 0;
    while (reader.pos < reader.len) {
      if (reader.uint53() !== messageTag) throw new Malformed('malformed', 'a frame has an unknown field');
      if (messages.length + passedOver === messagesPerFrameMax)
        throw new Malformed('limit-reached', 'a frame has too many messages');
      const message = readMessage(reader);
      if (message === null) passedOver += 1;
      else messages.push(message);
    }
    return { messages, passedOver };
  });
}

/** Null for one of a newer program; the reader then stands behind it. */
function readMessage(reader: Reader): NodeMessage | null {
  const start = reader.pos;
  try {
    return nodeMessage.read(reader);
  } catch (cause) {
    if (!(cause instanceof Malformed) || cause.code !== 'unsupported-version') throw cause;
    reader.pos = start;
    reader.take(reader.lengthUpTo(frameBytesMax, 'a message'));
    return null;
  }
}
