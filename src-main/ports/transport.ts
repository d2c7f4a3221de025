import type { NodeId } from '../../shared/domain/ids.ts';

/**
 * Frames between members over authenticated, encrypted connections. Frames from one sender that arrive, arrive
 * in the order sent and once; any may be lost, whenever a connection breaks or a bounded queue is full.
 */
export interface FrameTransport {
  readonly self: NodeId;
  /** Never waits, never throws. A frame for a peer that is not connected is dropped. */
  send(to: NodeId, frame: Uint8Array): void;
  connected(): readonly NodeId[];
  /** At most one handler of each kind; set before `start`. */
  onFrame(handler: (from: NodeId, frame: Uint8Array) => void): void;
  onPeer(handler: (peer: NodeId, connected: boolean) => void): void;
}
