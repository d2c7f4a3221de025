import type { NodeId } from '../../shared/domain/ids.ts';

/** Signed, best-effort messages to every member: hints only. Any may be lost, doubled or late. */
export interface Broadcast {
  publish(topic: string, bytes: Uint8Array): void;
  subscribe(topic: string, handler: (from: NodeId, bytes: Uint8Array) => void): void;
}
