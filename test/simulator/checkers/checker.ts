import type { NodeId, Slot } from '../../../shared/domain/ids.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import type { NodeEvent, NodeInput, NodeMessage } from '../../../src-main/core/node/messages.ts';
import type { NodeMachine } from '../../../src-main/core/node/node.ts';
import type { CommandResult, Request } from '../../../src-main/core/state-machine/command.ts';
import type { StateEvent } from '../../../src-main/core/state-machine/events.ts';

/** One run of a simulated node process. */
export interface Run {
  readonly node: NodeId;
  /** Of its state directory: a wiped disk is another voter. */
  readonly incarnation: string;
  readonly boot: number;
  /** The highest feature level that its program understands. */
  readonly supports: number;
  readonly machine: NodeMachine;
}

export interface AgreedEntry {
  readonly slot: Slot;
  readonly request: Request | null;
  readonly result: CommandResult;
  readonly events: readonly StateEvent[];
}

export type Applied = Extract<NodeEvent, { type: 'applied' }>;

/** Watches the whole film: each hook is called for every step of every node. `broken` ends the run. */
export interface Checker {
  readonly name: string;
  onBoot?(run: Run): void;
  onStep?(run: Run, input: NodeInput, effects: readonly NodeEffect[]): void;
  /** A message really left this node, or reached the node itself. */
  onSent?(run: Run, message: NodeMessage): void;
  /** A node applied an entry, in its own order. */
  onApplied?(run: Run, applied: Applied): void;
  /** The first application of a slot anywhere; slots come without gaps. */
  onAgreed?(entry: AgreedEntry, now: number): void;
}

export type Broken = (claim: string, detail: string) => void;
