import type { Failure } from '../../shared/domain/failure.ts';
import { FailureError, fail } from '../../shared/domain/failure.ts';
import type { NodeId } from '../../shared/domain/ids.ts';
import type { Result } from '../../shared/domain/failure.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { Departure } from '../core/membership/voter-choice.ts';
import type { MembershipSet } from '../swarm/membership-set.ts';
import type { Activity } from './activity.ts';
import type { ContentExchange } from './content-exchange.ts';
import type { CoordinationRecord } from './coordination-record.ts';
import type { Delivery } from './delivery.ts';
import type { DiskTiming } from './disk-timing.ts';
import type { Executor } from './executor.ts';
import type { Hints } from './hints.ts';
import type { Logs } from './logs.ts';
import type { Recovery } from './recovery.ts';
import type { Replica } from './replica.ts';
import type { SessionKeeper } from './session-keeper.ts';
import type { SubmissionRecords } from './submission-records.ts';

/** What services ask of the network beyond streams. */
export interface PeerNetwork {
  addresses(): readonly string[];
  peers(): readonly { readonly id: NodeId; readonly connected: boolean; readonly addresses: readonly string[] }[];
  ping(id: NodeId): Promise<Result<number>>;
  closestPeers(key: Uint8Array): Promise<{
    readonly keyHash: string;
    readonly peers: readonly { readonly id: NodeId; readonly commonBits: number }[];
  }>;
}

/** Everything that lives while this machine belongs to a swarm. */
export interface RunningPeer {
  readonly self: NodeId;
  readonly membership: MembershipSet;
  readonly network: PeerNetwork;
  readonly replica: Replica;
  readonly keeper: SessionKeeper;
  readonly executor: Executor;
  readonly delivery: Delivery;
  readonly logs: Logs;
  readonly store: ContentStore;
  readonly exchange: ContentExchange;
  readonly submissions: SubmissionRecords;
  readonly hints: Hints;
  readonly activity: Activity;
  /** Tells the swarm that this machine is about to go, so that its seat goes to another; null: it stays, or is back. */
  announceDeparture(departure: Departure | null): void;
  readonly coordination: CoordinationRecord;
  readonly diskTiming: DiskTiming;
  journalBytes(): number;
  /** A forced new quorum, for when a majority of the voters is gone for good. */
  readonly recovery: Recovery;
  /** Ends what it runs, closes its session, then everything else. */
  stop(): Promise<void>;
}

/** The peer of this machine, while there is one. A home without a swarm has none. */
export interface PeerHolder {
  readonly self: NodeId;
  readonly current: RunningPeer | null;
}

/** The running peer. Throws `not-a-member` while this machine belongs to no swarm. */
export function requirePeer(holder: PeerHolder): RunningPeer {
  if (holder.current === null) throw new FailureError(notInSwarm);
  return holder.current;
}

const notInSwarm: Failure = fail(
  'not-a-member',
  'This machine belongs to no swarm yet.',
  'Found one with “skein init”, or join one with “skein join LINK”.',
).failure;

/** The value, or the failure thrown: for the border where services meet the contract. */
export function valueOf<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new FailureError(result.failure);
  return result.value;
}
