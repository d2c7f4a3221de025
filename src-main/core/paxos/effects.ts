import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Effect } from '../machine/effect.ts';
import type { PaxosFact } from './facts.ts';
import type { PaxosMessage } from './messages.ts';

/** Paxos sets no timers and emits nothing of its own: the node that composes it does. */
export type PaxosEffect<Payload> = Extract<
  Effect<NodeId, PaxosMessage<Payload>, PaxosFact<Payload>, never, never>,
  { type: 'persist' | 'record' | 'send' }
>;

/** Collects effects in the order in which they must be carried out. */
export class EffectList<Payload> {
  #effects: PaxosEffect<Payload>[] = [];

  send(to: NodeId, message: PaxosMessage<Payload>): void {
    this.#effects.push({ type: 'send', to, message });
  }

  /** A barrier for everything added later. */
  persist(...facts: PaxosFact<Payload>[]): void {
    this.#effects.push({ type: 'persist', facts });
  }

  record(...facts: PaxosFact<Payload>[]): void {
    this.#effects.push({ type: 'record', facts });
  }

  take(): PaxosEffect<Payload>[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }
}
