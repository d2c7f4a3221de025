/**
 * Bytes of a journal segment: a header, then frames. A frame is its payload's length, a CRC-32, a type and the payload.
 * The CRC also covers the segment's random nonce and the frame's own offset, so that neither an old block that
 * comes back nor a payload that imitates a frame can pass for one.
 */
import { crc32 } from 'node:zlib';

export const frameTypes = { record: 1, marker: 2, seal: 3 } as const;
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

/** Bytes of one record at most: a snapshot chunk or a batch of entries stays far below. */
export const recordBytesMax = 8 * 1_024 * 1_024;
export const headerBytes = 28;
export const frameHeaderBytes = 9;

const segmentMagic = Buffer.from('SKEINJ1\n', 'latin1');
/** Text inside each marker, by which a search finds markers behind damage. */
const markerMagic = Buffer.from('SYNCMARK', 'latin1');
export const markerBytes = frameHeaderBytes + markerMagic.byteLength;

export interface SegmentHeader {
  readonly nonce: Uint8Array;
  readonly generation: number;
  readonly index: number;
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  segmentMagic.copy(bytes, 0);
  bytes.set(header.nonce, 8);
  bytes.writeUInt32LE(header.generation, 16);
  bytes.writeUInt32LE(header.index, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/** Null when the bytes are not a whole header. */
export function decodeHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.byteLength < headerBytes || !bytes.subarray(0, 8).equals(segmentMagic)) return null;
  if (bytes.readUInt32LE(24) !== crc32(bytes.subarray(0, 24))) return null;
  return { nonce: bytes.subarray(8, 16), generation: bytes.readUInt32LE(16), index: bytes.readUInt32LE(20) };
}

/** Reused for each frame, because a journal of many small records would otherwise spend its time allocating. */
const place = Buffer.alloc(8 + 6 + 4 + 1);

function frameCrc(nonce: Uint8Array, offset: number, type: FrameType, payload: Uint8Array): number {
  place.set(nonce, 0);
  place.writeUIntLE(offset, 8, 6);
  place.writeUInt32LE(payload.byteLength, 14);
  place.writeUInt8(type, 18);
  return crc32(payload, crc32(place));
}

/** Writes one frame into `target` at `at`; `offset` is where that byte will be in the file. Returns the frame's bytes. */
export function writeFrame(
  target: Buffer,
  at: number,
  frame: {
    readonly nonce: Uint8Array;
    readonly offset: number;
    readonly type: FrameType;
    readonly payload: Uint8Array;
  },
): number {
  target.writeUInt32LE(frame.payload.byteLength, at);
  target.writeUInt8(frame.type, at + 8);
  target.set(frame.payload, at + frameHeaderBytes);
  target.writeUInt32LE(frameCrc(frame.nonce, frame.offset, frame.type, frame.payload), at + 4);
  return frameHeaderBytes + frame.payload.byteLength;
}

/** A frame that says: everything before me was on disk before I was written. A seal also ends its segment. */
export function encodeMarker(nonce: Uint8Array, offset: number, type: FrameType = frameTypes.marker): Buffer {
  const bytes = Buffer.alloc(markerBytes);
  writeFrame(bytes, 0, { nonce, offset, type, payload: markerMagic });
  return bytes;
}

/** Frames of `records` in one buffer, the first of them to be written at `offset`. */
export function encodeRecords(nonce: Uint8Array, offset: number, records: readonly Uint8Array[]): Buffer {
  const size = records.reduce((sum, record) => sum + frameHeaderBytes + record.byteLength, 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const payload of records) {
    at += writeFrame(bytes, at, { nonce, offset: offset + at, type: frameTypes.record, payload });
  }
  return bytes;
}

function frameAt(bytes: Buffer, nonce: Uint8Array, at: number): { type: FrameType; payload: Buffer } | null {
  if (at + frameHeaderBytes > bytes.byteLength) return null;
  const length = bytes.readUInt32LE(at);
  const type = bytes.readUInt8(at + 8);
  if (type !== frameTypes.record && type !== frameTypes.marker && type !== frameTypes.seal) return null;
  if (length > recordBytesMax || at + frameHeaderBytes + length > bytes.byteLength) return null;
  const payload = bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + length);
  return bytes.readUInt32LE(at + 4) === frameCrc(nonce, at, type, payload) ? { type, payload } : null;
}

function markerFollows(bytes: Buffer, nonce: Uint8Array, from: number): boolean {
  let found = bytes.indexOf(markerMagic, from);
  while (found !== -1) {
    const frame = frameAt(bytes, nonce, found - frameHeaderBytes);
    if (frame !== null && frame.type !== frameTypes.record) return true;
    found = bytes.indexOf(markerMagic, found + 1);
  }
  return false;
}

export interface ScannedSegment {
  readonly records: readonly Uint8Array[];
  /** Bytes up to the end of the last whole frame before any damage. */
  readonly wholeBytes: number;
  /** Where the last marker begins: all before it had been synced when it was written, itself perhaps not. */
  readonly syncedBytes: number;
  readonly sealed: boolean;
  /** Damage at `wholeBytes` with a valid marker somewhere behind it: those bytes had been on disk. */
  readonly damagedBeforeMarker: boolean;
}

/** Reads frames from the header to the first one that is not whole. */
export function scanSegment(bytes: Buffer, nonce: Uint8Array): ScannedSegment {
  const records: Uint8Array[] = [];
  let at = headerBytes;
  let syncedBytes = headerBytes;
  let sealed = false;
  while (!sealed) {
    const frame = frameAt(bytes, nonce, at);
    if (frame === null) break;
    if (frame.type === frameTypes.record) records.push(frame.payload);
    sealed = frame.type === frameTypes.seal;
    if (frame.type !== frameTypes.record) syncedBytes = at;
    at += frameHeaderBytes + frame.payload.byteLength;
  }
  const damagedBeforeMarker = !sealed && markerFollows(bytes, nonce, at + 1);
  return { records, wholeBytes: at, syncedBytes, sealed, damagedBeforeMarker };
}
