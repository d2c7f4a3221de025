/**
 * Identifiers and instants. Each has its own brand, so that two of them can never be swapped
 * by accident in a call.
 */
declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A machine: the libp2p peer id of its Ed25519 key, in base58 text. Compared by code unit. */
export type NodeId = Branded<string, 'NodeId'>;
/** A swarm: the hash of its signed genesis record, in lower-case hex. */
export type SwarmId = Branded<string, 'SwarmId'>;
/** A run of a node process: `<NodeId>#<incarnation>.<boot>`. Locks and attempts belong to one. */
export type SessionId = Branded<string, 'SessionId'>;
/** A place in the replicated log; the first entry has slot 1. */
export type Slot = Branded<number, 'Slot'>;
/** Orders the holders of one thing. It is the slot of the grant, so it only grows. */
export type FencingToken = Branded<number, 'FencingToken'>;
/** A submission, numbered from 1 in the order of the log. */
export type JobId = Branded<number, 'JobId'>;
/** The name of a lock: 1 to 200 characters, no control characters. */
export type LockName = Branded<string, 'LockName'>;
/** The name of a stored value: 1 to 512 characters, no control characters. Ordered by code unit. */
export type KvKey = Branded<string, 'KvKey'>;
/** SHA-256 of some bytes, in lower-case hex. */
export type ContentHash = Branded<string, 'ContentHash'>;
/** Milliseconds since 1970 by somebody's wall clock: for people to read, never for a decision. */
export type WallTime = Branded<number, 'WallTime'>;

export const nodeId = (text: string): NodeId => text as NodeId;
export const swarmId = (text: string): SwarmId => text as SwarmId;
export const sessionId = (text: string): SessionId => text as SessionId;
export const slot = (value: number): Slot => value as Slot;
export const fencingToken = (value: number): FencingToken => value as FencingToken;
export const jobId = (value: number): JobId => value as JobId;
export const lockName = (text: string): LockName => text as LockName;
export const kvKey = (text: string): KvKey => text as KvKey;
export const contentHash = (text: string): ContentHash => text as ContentHash;
export const wallTime = (value: number): WallTime => value as WallTime;

/** Orders two texts by code unit: the same on every machine, whatever its language. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
