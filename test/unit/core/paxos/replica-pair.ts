import { nodeId, slot, type NodeId } from '../../../../shared/domain/ids.ts';
import { instant } from '../../../../src-main/core/machine/time.ts';
import type { PaxosMessage } from '../../../../src-main/core/paxos/messages.ts';
import { Replica } from '../../../../src-main/core/paxos/replica.ts';
import type { Voter } from '../../../../src-main/core/paxos/voters.ts';

export const a = nodeId('a');
export const b = nodeId('b');
export const seat = (node: NodeId): Voter => ({ node, incarnation: `${node}1`, rank: 100 });

/** Two replicas on a wire that a test may cut, with disks that never fail. The first is the only voter. */
export class ReplicaPair {
  readonly voter = new Replica<string>(
    { node: a, incarnation: 'a1' },
    () => 1,
    () => 1,
  );
  readonly learner = new Replica<string>(
    { node: b, incarnation: 'b1' },
    () => 1,
    () => 1,
  );
  now = instant(0);
  /** Whether what is sent to the learner arrives. */
  connected = true;
  /** What the voter knows to be chosen, in order. */
  readonly chosen: string[] = [];
  #wire: { readonly from: NodeId; readonly to: NodeId; readonly message: PaxosMessage<string> }[] = [];

  constructor() {
    const snapshot = {
      slot: slot(0),
      config: { epoch: 0, id: 1, firstSlot: slot(1), voters: [seat(a)], cuts: [] },
      state: '',
      chain: null,
    };
    this.voter.recover(snapshot, []);
    this.learner.recover(snapshot, []);
    this.voter.tryToLead(this.now, 0);
    this.settle();
    this.beat();
    this.beat();
  }

  advance(byMs: number): void {
    this.now = instant(this.now + byMs);
  }

  beat(): void {
    this.voter.heartbeat(this.now, [b], this.now);
    this.settle();
  }

  propose(...payloads: readonly string[]): void {
    this.voter.propose(this.now, payloads);
    this.settle();
  }

  /** Delivers until nothing is under way. */
  settle(): void {
    this.#collect();
    for (let sent = this.#wire.shift(); sent !== undefined; sent = this.#wire.shift()) {
      if (sent.from !== sent.to && !this.connected) continue;
      this.#of(sent.to).receive(this.now, sent.from, sent.message, null);
      this.#collect();
    }
  }

  #of(node: NodeId): Replica<string> {
    return node === a ? this.voter : this.learner;
  }

  #collect(): void {
    for (const [from, replica] of [
      [a, this.voter],
      [b, this.learner],
    ] as const) {
      const outcome = replica.take();
      for (const effect of outcome.effects)
        if (effect.type === 'send') this.#wire.push({ from, to: effect.to, message: effect.message });
      if (from !== a) continue;
      for (const { entry } of outcome.chosen) this.chosen.push(entry.type === 'payload' ? entry.payload : entry.type);
    }
  }
}
