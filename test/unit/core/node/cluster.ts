import { nodeId, slot, wallTime, type NodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import { foundingSnapshot } from '../../../../src-main/core/node/founding.ts';
import type { NodeEvent, NodeInput, NodeMessage, NodeTimer } from '../../../../src-main/core/node/messages.ts';
import { createNode, type NodeMachine } from '../../../../src-main/core/node/node.ts';
import type { Snapshot } from '../../../../src-main/core/paxos/facts.ts';

interface Sent {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: NodeMessage;
}

interface Member {
  readonly machine: NodeMachine;
  readonly timers: Map<NodeTimer, number>;
  readonly events: NodeEvent[];
}

/** Every node's disk is instant and every message arrives after `delayMs`, unless the test cuts or catches it. */
const delayMs = 1;

/** Nodes without processes: messages, timers and clocks are moved by the test, one millisecond at a time. */
export class Cluster {
  readonly ids: readonly NodeId[];
  now = 1_000;
  /** Answers false for messages that are lost. */
  passes: (sent: Sent) => boolean = () => true;
  readonly #members = new Map<NodeId, Member>();
  #wire: { readonly dueAt: number; readonly sent: Sent }[] = [];

  /**
   * `ranks` has one entry for each voter, `learners` come behind them; the names go up with the index. `supports`: the
   * feature levels of their programs by index, that of this one where there is none.
   */
  constructor(
    ranks: readonly number[],
    learners = 0,
    { level, supports }: { readonly level?: number; readonly supports?: readonly number[] } = {},
  ) {
    const count = ranks.length + learners;
    this.ids = Array.from({ length: count }, (_, index) => nodeId(`node-${'abcdefgh'[index] ?? index}`));
    const voters = this.ids
      .slice(0, ranks.length)
      .map((node, index) => ({ node, incarnation: 'i1', rank: ranks[index] ?? 0 }));
    for (const id of this.ids) {
      const founding = foundingSnapshot({ node: id, incarnation: 'i1' }, 0, level);
      const own = supports?.[this.ids.indexOf(id)];
      const snapshot: Snapshot = { ...founding, config: { epoch: 0, id: 1, firstSlot: slot(1), voters, cuts: [] } };
      const machine = createNode({
        self: { node: id, incarnation: 'i1' },
        recovered: { snapshot: this.ids.indexOf(id) < ranks.length ? snapshot : null, facts: [] },
        seed: this.ids.indexOf(id),
        members: this.ids,
        ...(own === undefined ? {} : { supports: own }),
        wall: () => wallTime(this.now),
      });
      this.#members.set(id, { machine, timers: new Map(), events: [] });
    }
    for (const id of this.ids) {
      for (const peer of this.ids) if (peer !== id) this.input(id, { type: 'peer-connected', peer });
      this.input(id, { type: 'started' });
    }
  }

  at(id: NodeId): NodeMachine {
    return this.#member(id).machine;
  }

  events<Type extends NodeEvent['type']>(id: NodeId, type: Type): Extract<NodeEvent, { type: Type }>[] {
    return this.#member(id).events.filter((event): event is Extract<NodeEvent, { type: Type }> => event.type === type);
  }

  #member(id: NodeId): Member {
    const member = this.#members.get(id);
    if (member === undefined) throw new Error(`${id} is not in this cluster`);
    return member;
  }

  input(id: NodeId, input: NodeInput): void {
    const { machine, timers, events } = this.#member(id);
    for (const effect of machine.step(instant(this.now), input)) {
      if (effect.type === 'send') {
        const sent = { from: id, to: effect.to, message: effect.message };
        if (effect.to === id || this.passes(sent)) this.#wire.push({ dueAt: this.now + delayMs, sent });
      } else if (effect.type === 'emit') events.push(effect.event);
      else if (effect.type === 'set-timer') timers.set(effect.timer, this.now + Math.ceil(effect.afterMs));
      else if (effect.type === 'cancel-timer') timers.delete(effect.timer);
    }
  }

  /** Lets this many milliseconds go by. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end;) this.#step(end);
  }

  /** To the next millisecond at which something is due, or to the end. */
  #step(end: number): void {
    let next = end;
    for (const { dueAt } of this.#wire) next = Math.min(next, dueAt);
    for (const { timers } of this.#members.values()) for (const at of timers.values()) next = Math.min(next, at);
    this.now = Math.max(this.now + 1, next);
    const due = this.#wire.filter(({ dueAt }) => dueAt <= this.now);
    this.#wire = this.#wire.filter(({ dueAt }) => dueAt > this.now);
    for (const { sent } of due) this.input(sent.to, { type: 'received', from: sent.from, message: sent.message });
    for (const [id, { timers }] of this.#members) {
      for (const [timer, at] of [...timers]) {
        if (at > this.now || timers.get(timer) !== at) continue;
        timers.delete(timer);
        this.input(id, { type: 'timer', timer });
      }
    }
  }

  /** Goes on until the condition holds; throws after `limitMs`. */
  until(condition: () => boolean, limitMs = 20_000): void {
    for (const end = this.now + limitMs; !condition(); this.#step(end)) {
      if (this.now >= end) throw new Error(`not so after ${limitMs} ms`);
    }
  }

  /** The one node that coordinates behind its barrier, once all others follow it. */
  settle(): NodeId {
    this.until(() => {
      const leading = this.ids.filter((id) => this.at(id).role === 'coordinator');
      const [leader] = leading;
      return (
        leading.length === 1 &&
        this.at(leader ?? nodeId('')).committed > 0 &&
        this.ids.every((id) => this.at(id).coordinator?.node === leader)
      );
    });
    this.pass(1_000);
    const coordinator = this.ids.find((id) => this.at(id).role === 'coordinator');
    if (coordinator === undefined) throw new Error('nobody coordinates');
    return coordinator;
  }

  /** All others but this one. */
  others(id: NodeId): NodeId[] {
    return this.ids.filter((other) => other !== id);
  }
}
