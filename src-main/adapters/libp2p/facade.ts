import type { Result } from '../../../shared/domain/failure.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Broadcast } from '../../ports/broadcast.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ByteStreams } from '../../ports/streams.ts';
import type { FrameTransport } from '../../ports/transport.ts';
import type { MembershipSet } from '../../swarm/membership-set.ts';
import type { Identity } from './identity.ts';

export interface SkeinNetworkOptions {
  /** State directory: `addresses.json` is kept in it. */
  readonly home: string;
  readonly identity: Identity;
  /** Who may connect. The network merges what other members say into it. */
  readonly membership: MembershipSet;
  /** Address to listen on; `0.0.0.0` unless told otherwise. */
  readonly listenHost?: string;
  /** Asked-for port; taken means `port-in-use`. Without it, the port of the last run, or any free one. */
  readonly port?: number;
  /** Looks for members in the local network; on unless told otherwise. */
  readonly mdns?: boolean;
  /** Topics that may be published at all; all of them, up front. */
  readonly topics?: readonly string[];
  readonly logger: Logger;
}

/** What one peer looks like from here, for screens. */
export interface PeerLink {
  readonly id: NodeId;
  readonly connected: boolean;
  readonly addresses: readonly string[];
}

export interface ClosestPeer {
  readonly id: NodeId;
  /** Leading bits that the hash of the id and the hash of the key have in common, 0 to 256. */
  readonly commonBits: number;
}

/** The distributed hash table of this swarm. Hints only. */
export interface HashTable {
  /** The members closest to a key by XOR distance, nearest first, this one included. */
  closestPeers(key: Uint8Array): Promise<{ readonly keyHash: string; readonly peers: readonly ClosestPeer[] }>;
  /** Publishes this member's own record under a name; a higher sequence replaces a lower one. */
  put(name: string, value: Uint8Array, sequence: number): Promise<Result<null>>;
  /** The newest record that `owner` published under `name`; fails with `not-found`. */
  get(owner: NodeId, name: string): Promise<Result<{ readonly value: Uint8Array; readonly sequence: number }>>;
}

export interface NetworkCounters {
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly strangersRefused: number;
}

/** The real network of one member. Set handlers first, then `start`. */
export interface SkeinNetwork {
  readonly transport: FrameTransport;
  readonly streams: ByteStreams;
  readonly broadcast: Broadcast;
  readonly dht: HashTable;
  /** Addresses others can reach this machine at, with its id at the end. Empty before `start`. */
  addresses(): readonly string[];
  /** All other members, with the addresses known for them. */
  peers(): readonly PeerLink[];
  /** Remembers an address typed by hand (`/ip4/…/tcp/…/p2p/…`); fails with `bad-input` or `not-a-member`. */
  addAddress(address: string): Result<null>;
  /** Round trip in milliseconds; fails with `peer-unreachable` or `timed-out`. */
  ping(id: NodeId): Promise<Result<number>>;
  counters(): NetworkCounters;
  /** Fails with `port-in-use`, `not-authorised`, `bad-input` (an address of another machine) or `internal`. */
  start(): Promise<Result<null>>;
  stop(): Promise<void>;
}
