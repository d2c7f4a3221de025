import { createHash } from 'node:crypto';
import { peerIdFromString } from '@libp2p/peer-id';
import { fail, ok } from '../../../shared/domain/failure.ts';
import type { Result } from '../../../shared/domain/failure.ts';
import { nodeId } from '../../../shared/domain/ids.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import { isObject, parseJson } from '../../swarm/records.ts';
import { isNodeId, verifySignature } from '../../swarm/signature.ts';
import type { SkeinNode } from './create-node.ts';
import type { ClosestPeer, HashTable } from './facade.ts';
import type { Identity } from './identity.ts';
import { hashTableTimeoutMs, hashTableValueBytesMax } from './limits.ts';

interface TableRecord {
  readonly owner: NodeId;
  readonly name: string;
  readonly sequence: number;
  readonly value: Uint8Array;
}

const namespace = 'skein';
const sequencesKeptMax = 10_000;
const closestMax = 20;

/** Kademlia among the members. Records are signed by their owner, since those who store them can vouch for nothing. */
export class Libp2pHashTable implements HashTable {
  readonly #identity: Identity;
  readonly #isMember: (id: NodeId) => boolean;
  /** Highest sequence seen per key: the library overwrites on PUT without comparing, so the validator must refuse old ones. */
  readonly #sequences = new Map<string, number>();
  #node: SkeinNode | null = null;

  constructor(identity: Identity, isMember: (id: NodeId) => boolean) {
    this.#identity = identity;
    this.#isMember = isMember;
  }

  readonly validators = {
    [namespace]: (key: Uint8Array, value: Uint8Array): void => {
      this.#validate(Buffer.from(key).toString('utf8'), value);
    },
  };

  readonly selectors = {
    [namespace]: (key: Uint8Array, values: Uint8Array[]): number => newestOf(Buffer.from(key).toString('utf8'), values),
  };

  attach(node: SkeinNode): void {
    this.#node = node;
  }

  detach(): void {
    this.#node = null;
  }

  async closestPeers(key: Uint8Array): Promise<{ readonly keyHash: string; readonly peers: readonly ClosestPeer[] }> {
    const target = sha256(key);
    const found = new Set<NodeId>([this.#identity.id]);
    if (this.#node !== null) {
      for (const peer of this.#node.getPeers()) found.add(nodeId(peer.toString()));
      try {
        const signal = AbortSignal.timeout(hashTableTimeoutMs);
        for await (const event of this.#node.services.dht.getClosestPeers(key, { signal })) {
          if (event.name === 'FINAL_PEER') found.add(nodeId(event.peer.id.toString()));
        }
      } catch (cause) {
        // A query that runs out of time still leaves what it found, and the connected members are a good answer.
        if (found.size === 0) throw cause;
      }
    }
    const peers = [...found]
      .filter((id) => this.#isMember(id))
      .map((id) => ({ id, distance: xor(target, kademliaIdOf(id)) }))
      .sort((left, right) => Buffer.compare(left.distance, right.distance))
      .slice(0, closestMax)
      .map(({ id, distance }) => ({ id, commonBits: leadingZeroBits(distance) }));
    return { keyHash: target.toString('hex'), peers };
  }

  async put(name: string, value: Uint8Array, sequence: number): Promise<Result<null>> {
    if (this.#node === null) return fail('not-running', 'The network is not running.');
    if (value.length > hashTableValueBytesMax / 2)
      return fail('limit-reached', `A table record holds at most ${String(hashTableValueBytesMax / 2)} bytes.`);
    const { id } = this.#identity;
    const body = { owner: id, name, sequence, value: Buffer.from(value).toString('base64') };
    const signature = Buffer.from(this.#identity.sign(signedBytes(body))).toString('base64');
    const bytes = Buffer.from(JSON.stringify({ ...body, signature }));
    try {
      for await (const event of this.#node.services.dht.put(keyBytes(id, name), bytes, {
        signal: AbortSignal.timeout(hashTableTimeoutMs),
      }))
        void event;
      return ok(null);
    } catch (cause) {
      return fail(
        'timed-out',
        `The record ${name} was not stored: ${reasonOf(cause)}.`,
        'Try again once other members are reachable.',
      );
    }
  }

  async get(owner: NodeId, name: string): Promise<Result<{ readonly value: Uint8Array; readonly sequence: number }>> {
    if (this.#node === null) return fail('not-running', 'The network is not running.');
    const key = keyBytes(owner, name);
    let newest: TableRecord | null = null;
    try {
      for await (const event of this.#node.services.dht.get(key, { signal: AbortSignal.timeout(hashTableTimeoutMs) })) {
        if (event.name !== 'VALUE') continue;
        const record = parseRecord(key.toString('utf8'), event.value);
        if (record !== null && record.sequence >= (newest?.sequence ?? 0)) newest = record;
      }
    } catch (cause) {
      if (newest === null) return fail('not-found', `No record ${name} of ${owner} was found: ${reasonOf(cause)}.`);
    }
    if (newest === null) return fail('not-found', `No record ${name} of ${owner} was found.`);
    return ok({ value: newest.value, sequence: newest.sequence });
  }

  #validate(key: string, bytes: Uint8Array): void {
    const record = parseRecord(key, bytes);
    if (record === null || !this.#isMember(record.owner)) throw new Error('not a record signed by its owner');
    if (record.sequence < (this.#sequences.get(key) ?? 0)) throw new Error('an older record than the one known');
    if (!this.#sequences.has(key) && this.#sequences.size >= sequencesKeptMax) throw new Error('too many records');
    this.#sequences.set(key, record.sequence);
  }
}

const keyBytes = (owner: NodeId, name: string): Buffer => Buffer.from(`/${namespace}/${owner}/${name}`);

function parseRecord(key: string, bytes: Uint8Array): TableRecord | null {
  if (bytes.length > hashTableValueBytesMax) return null;
  const fields = parseJson(Buffer.from(bytes).toString('utf8'));
  if (!isObject(fields)) return null;
  const { owner, name, sequence, value, signature } = fields;
  if (!isNodeId(owner) || typeof name !== 'string' || typeof value !== 'string' || typeof signature !== 'string')
    return null;
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0) return null;
  if (key !== keyBytes(owner, name).toString('utf8')) return null;
  if (!verifySignature(owner, signedBytes({ owner, name, sequence, value }), Buffer.from(signature, 'base64')))
    return null;
  return { owner, name, sequence, value: Buffer.from(value, 'base64') };
}

function newestOf(key: string, values: readonly Uint8Array[]): number {
  const sequences = values.map((value) => parseRecord(key, value)?.sequence ?? -1);
  return Math.max(0, sequences.indexOf(Math.max(...sequences)));
}

const signedBytes = (body: {
  readonly owner: string;
  readonly name: string;
  readonly sequence: number;
  readonly value: string;
}): Uint8Array => Buffer.from(`skein-table-1\n${JSON.stringify([body.owner, body.name, body.sequence, body.value])}`);

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** Where a peer stands in the key space: the hash of its id's multihash (libp2p Kademlia specification, "Distance"). */
const kademliaIdOf = (id: NodeId): Buffer => sha256(peerIdFromString(id).toMultihash().bytes);

const xor = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));

function leadingZeroBits(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.length * 8 : first * 8 + Math.clz32(bytes[first] ?? 0) - 24;
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
