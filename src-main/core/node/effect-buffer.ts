import type { NodeId } from '../../../shared/domain/ids.ts';
import type { NodeEffect, NodeEvent, NodeMessage, NodeTimer } from './messages.ts';

/** The effects of one step, in the order in which the parts of a node ask for them. */
export class EffectBuffer {
  #effects: NodeEffect[] = [];

  /** Where the next one goes. */
  get end(): number {
    return this.#effects.length;
  }

  push(effect: NodeEffect): void {
    this.#effects.push(effect);
  }

  emit(event: NodeEvent): void {
    this.#effects.push({ type: 'emit', event });
  }

  /** Before those that were asked for since `end` was `at`. */
  emitAt(at: number, event: NodeEvent): void {
    this.#effects.splice(at, 0, { type: 'emit', event });
  }

  send(to: NodeId, message: NodeMessage): void {
    this.#effects.push({ type: 'send', to, message });
  }

  arm(timer: NodeTimer, afterMs: number): void {
    this.#effects.push({ type: 'set-timer', timer, afterMs });
  }

  take(): readonly NodeEffect[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }
}
