import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/domain/failure.ts';
import { errorCode } from './disk-failure.ts';
import type { JournalFile, JournalFileSystem } from './journal-file-system.ts';
import {
  decodeHeader,
  encodeHeader,
  encodeMarker,
  encodeRecords,
  headerBytes,
  markerBytes,
  scanSegment,
  type ScannedSegment,
  type SegmentHeader,
} from './journal-format.ts';

/** The segment that is being written. `position` is where its next frame goes, in bytes. */
export interface OpenSegment {
  readonly file: JournalFile;
  readonly header: SegmentHeader;
  position: number;
}

export interface RecoveredJournal {
  readonly segment: OpenSegment;
  readonly records: readonly Uint8Array[];
  readonly tornBytes: number;
  readonly bytes: number;
  /** No segment was there before. */
  readonly created: boolean;
}

interface NamedSegment {
  readonly name: string;
  readonly generation: number;
  readonly index: number;
}

const namePattern = /^journal-(\d{8})-(\d{8})\.seg$/;
const unfinishedSuffix = '.new';
const pieceBytes = 4 * 1_024 * 1_024;

export function segmentName(generation: number, index: number): string {
  const digits = (value: number): string => String(value).padStart(8, '0');
  return `journal-${digits(generation)}-${digits(index)}.seg`;
}

/** Names of the folder that belong to generations before `generation`, or to writes that never finished. */
export function obsoleteNames(names: readonly string[], generation: number): readonly string[] {
  return names.filter((name) => {
    const match = namePattern.exec(name);
    return match === null ? name.endsWith(`.seg${unfinishedSuffix}`) : Number(match[1]) < generation;
  });
}

/**
 * Creates a segment that begins with `head`. It gets its real name only once it is whole on disk, so a
 * segment that can be seen has a whole header and head: damage in them is never the trace of a crash.
 */
export async function createSegment(
  files: JournalFileSystem,
  dir: string,
  place: { readonly generation: number; readonly index: number },
  head: Iterable<Uint8Array>,
): Promise<OpenSegment> {
  const header: SegmentHeader = { nonce: randomBytes(8), ...place };
  const path = join(dir, segmentName(place.generation, place.index));
  const file = await files.open(path + unfinishedSuffix, true);
  try {
    await file.write(encodeHeader(header), 0);
    let position = headerBytes;
    for (const piece of inPieces(head)) {
      const bytes = encodeRecords(header.nonce, position, piece);
      await file.write(bytes, position);
      position += bytes.byteLength;
    }
    await file.write(encodeMarker(header.nonce, position), position);
    await file.sync();
    await files.rename(path + unfinishedSuffix, path);
    await files.syncFolder(dir);
    return { file, header, position: position + markerBytes };
  } catch (error) {
    // What cannot be finished must not hold the room that others need; the failure that counts is the first one.
    await file.close().catch(() => undefined);
    await files.remove(path + unfinishedSuffix).catch(() => undefined);
    throw error;
  }
}

function* inPieces(records: Iterable<Uint8Array>): Generator<readonly Uint8Array[]> {
  let piece: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    piece.push(record);
    bytes += record.byteLength;
    if (bytes < pieceBytes) continue;
    yield piece;
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0) yield piece;
}

function currentSegments(names: readonly string[]): readonly NamedSegment[] {
  const all = names.flatMap((name): NamedSegment[] => {
    const match = namePattern.exec(name);
    return match === null ? [] : [{ name, generation: Number(match[1]), index: Number(match[2]) }];
  });
  const newest = all.reduce((most, segment) => Math.max(most, segment.generation), 0);
  return all.filter((segment) => segment.generation === newest).sort((left, right) => left.index - right.index);
}

function corrupt(path: string, offset: number, what: string): { ok: false; failure: Failure } {
  return fail(
    'corrupt',
    `${path} is damaged at byte ${String(offset)}: ${what}`,
    'this machine must not vote from this journal; let it return to the swarm as a new member',
  );
}

interface ReadSegment {
  readonly header: SegmentHeader;
  readonly scanned: ScannedSegment;
  readonly bytes: Buffer;
}

async function readSegment(
  files: JournalFileSystem,
  path: string,
  expected: NamedSegment,
  last: boolean,
): Promise<Result<ReadSegment>> {
  let read: Uint8Array;
  try {
    read = await files.read(path);
  } catch (error) {
    // A place that the disk cannot give back is as good as damaged.
    if (errorCode(error) !== 'EIO') throw error;
    return corrupt(path, 0, 'the disk cannot read it (EIO)');
  }
  const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
  const header = decodeHeader(bytes);
  if (header === null) return corrupt(path, 0, 'its header does not match its checksum');
  if (header.generation !== expected.generation || header.index !== expected.index) {
    return corrupt(path, 16, 'its header names another segment');
  }
  const scanned = scanSegment(bytes, header.nonce);
  if (scanned.damagedBeforeMarker) {
    return corrupt(path, scanned.wholeBytes, 'a record that had been synced does not match its checksum');
  }
  if (!last && !scanned.sealed)
    return corrupt(path, scanned.wholeBytes, 'it ends early, though a later segment exists');
  if (scanned.sealed && scanned.wholeBytes !== bytes.byteLength) {
    return corrupt(path, scanned.wholeBytes, 'bytes follow its end');
  }
  return ok({ header, scanned, bytes });
}

/**
 * Reads the newest generation of the journal in `dir`, drops a torn tail, and opens its end to write.
 * What it returns is on disk: whole records that a crash left unsynced are synced before anybody may act on them.
 * Fails with `corrupt`; rejects with system errors.
 */
export async function recover(files: JournalFileSystem, dir: string): Promise<Result<RecoveredJournal>> {
  await files.makeFolder(dir);
  const names = await files.list(dir);
  const segments = currentSegments(names);
  const generation = segments[0]?.generation ?? 1;
  const records: Uint8Array[] = [];
  let bytes = 0;
  let end: { readonly segment: NamedSegment; readonly read: ReadSegment } | null = null;
  for (const [place, segment] of segments.entries()) {
    const path = join(dir, segment.name);
    if (segment.index !== place)
      return corrupt(path, 0, `the segment before it, ${segmentName(generation, place)}, is missing`);
    const read = await readSegment(files, path, segment, place === segments.length - 1);
    if (!read.ok) return read;
    for (const record of read.value.scanned.records) records.push(record);
    bytes += read.value.scanned.wholeBytes;
    end = { segment, read: read.value };
  }
  for (const name of obsoleteNames(names, generation)) await files.remove(join(dir, name));
  if (end === null || end.read.scanned.sealed) {
    const index = end === null ? 0 : end.segment.index + 1;
    if (end !== null) await (await settle(files, join(dir, end.segment.name), end.read)).close();
    const segment = await createSegment(files, dir, { generation, index }, []);
    return ok({ segment, records, tornBytes: 0, bytes: bytes + segment.position, created: end === null });
  }
  const segment = await reopen(files, join(dir, end.segment.name), end.read);
  const tornBytes = end.read.bytes.byteLength - end.read.scanned.wholeBytes;
  return ok({ segment, records, tornBytes, bytes: bytes + markerBytes, created: false });
}

/**
 * Whole records behind the last marker, and that marker, may be in the system's cache only, and marked clean there by
 * a sync that failed before this process began: syncing them again would report a success that never was (Rebello et
 * al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020, section 3). Writing them again makes it real.
 */
async function settle(files: JournalFileSystem, path: string, read: ReadSegment): Promise<JournalFile> {
  const file = await files.open(path, false);
  try {
    const { wholeBytes, syncedBytes } = read.scanned;
    if (wholeBytes < read.bytes.byteLength) await file.truncate(wholeBytes);
    if (syncedBytes < wholeBytes) await file.write(read.bytes.subarray(syncedBytes, wholeBytes), syncedBytes);
    await file.sync();
    return file;
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function reopen(files: JournalFileSystem, path: string, read: ReadSegment): Promise<OpenSegment> {
  const file = await settle(files, path, read);
  const position = read.scanned.wholeBytes;
  try {
    await file.write(encodeMarker(read.header.nonce, position), position);
    await file.sync();
    return { file, header: read.header, position: position + markerBytes };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}
