import type { NodeId, SwarmId, WallTime } from './ids.ts';

export const roles = ['observer', 'submitter', 'worker', 'admin'] as const;
export type Role = (typeof roles)[number];

/** An admin's signed word that a machine belongs to the swarm. Sets of these merge by union. */
export interface Grant {
  readonly swarm: SwarmId;
  readonly member: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly issuedAt: WallTime;
  /** Higher serials replace lower ones from any admin for the same member. */
  readonly serial: number;
  readonly admin: NodeId;
}

/** A signed word that a machine no longer belongs. It always wins over grants with a serial up to its own. */
export interface Revocation {
  readonly swarm: SwarmId;
  readonly member: NodeId;
  readonly reason: string;
  readonly issuedAt: WallTime;
  readonly serial: number;
  readonly admin: NodeId;
}

/** What people ask of a machine: to decide for all whenever it can, or not unless nobody else is there. */
export const coordinationPins = ['home-base', 'never-coordinate', 'none'] as const;
export type CoordinationPin = (typeof coordinationPins)[number];

/** Whose work a machine runs. Its owner decides, it is kept on that machine and checked when an attempt starts. */
export type AcceptPolicy =
  | { readonly from: 'nobody' }
  | { readonly from: 'everyone' }
  | { readonly from: 'listed'; readonly members: readonly NodeId[] };
