import type { LockName, NodeId } from '../../../shared/domain/ids.ts';
import type { NodeInput, NodeMessage } from '../../../src-main/core/node/messages.ts';
import { cutOf, epochJumpSlots } from '../../../src-main/core/paxos/epochs.ts';
import type { VoterConfig } from '../../../src-main/core/paxos/voters.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import { canonical } from './canonical.ts';
import type { Applied, Broken, Checker, Run } from './checker.ts';

const nameOf = (request: NonNullable<Applied['request']>): string => `${request.client}/${request.sequence}`;

/** A node may apply the last entries of an epoch in the very step in which it begins the next. */
function epochOfSlot(slot: number, config: VoterConfig | null): number {
  const cut = config?.cuts.find(({ lastSlot }) => slot <= lastSlot + epochJumpSlots / 2);
  return cut?.epoch ?? config?.epoch ?? 0;
}

/**
 * What must hold although a forced new quorum throws part of the log away: one slot means one thing everywhere (P1),
 * no token of a lock comes back in a later epoch (L2), nobody leads or follows below a promised epoch (C.10, 5), and
 * what a returning machine had and the new epoch has not is kept for people (C.10, 6).
 */
export class EpochChanges implements Checker {
  readonly name = 'epochs';
  readonly #broken: Broken;
  readonly #digests = new Map<number, string>();
  readonly #tokens = new Map<LockName, Map<number, { lowest: number; highest: number }>>();
  /** The highest epoch each node ever told anyone that it had promised. */
  readonly #promised = new Map<NodeId, number>();
  readonly #applied = new Map<NodeId, Map<number, string>>();
  readonly #epochs = new Map<NodeId, number>();
  #highest = 0;

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  /** The latest epoch that any node has begun. */
  get highest(): number {
    return this.#highest;
  }

  onBoot(run: Run): void {
    this.#applied.set(run.node, new Map());
    this.#epochs.set(run.node, run.machine.config?.epoch ?? 0);
    const { epochPromised } = run.machine.advance;
    const promised = this.#promised.get(run.node) ?? 0;
    if (epochPromised < promised)
      this.#broken('promised epoch', `${run.node} promised epoch ${promised} and recovers ${epochPromised}`);
  }

  onSent(run: Run, message: NodeMessage): void {
    if (message.type === 'epoch-promise')
      this.#promised.set(run.node, Math.max(message.epoch, this.#promised.get(run.node) ?? 0));
    const promised = this.#promised.get(run.node) ?? 0;
    const answers = message.type === 'promise' || message.type === 'accepted';
    if (answers && message.ballot.epoch < promised) {
      const { epoch } = message.ballot;
      this.#broken(
        'promised epoch',
        `${run.node} answers ${message.type} in epoch ${epoch} after it promised ${promised}`,
      );
    }
  }

  onStep(run: Run, _input: NodeInput, _effects: readonly NodeEffect[]): void {
    const { config, advance, role } = run.machine;
    const before = this.#epochs.get(run.node) ?? 0;
    if (config === null) return;
    if (advance.epochPromised > config.epoch && role !== 'learner') {
      this.#broken(
        'promised epoch',
        `${run.node} is ${role} of epoch ${config.epoch} and promised ${advance.epochPromised}`,
      );
    }
    this.#highest = Math.max(this.#highest, config.epoch);
    if (config.epoch === before) return;
    this.#epochs.set(run.node, config.epoch);
    const cut = cutOf(before, config.cuts);
    const aside = new Set(
      run.machine.setAside.flatMap(({ entries }) =>
        entries.flatMap((entry) => (entry.type === 'payload' ? [nameOf(entry.payload.request)] : [])),
      ),
    );
    for (const [slot, name] of this.#applied.get(run.node) ?? []) {
      if (cut === null || slot <= cut || slot >= config.firstSlot || aside.has(name)) continue;
      this.#broken('set aside', `${run.node} drops ${name} of slot ${slot}, behind the cut at ${cut}, without a word`);
    }
    this.#applied.set(run.node, new Map());
  }

  onApplied(run: Run, { slot, request, result, events }: Applied): void {
    const digest = canonical([request, result, events]);
    const known = this.#digests.get(slot);
    if (known === undefined) this.#digests.set(slot, digest);
    else if (known !== digest) this.#broken('agreement', `slot ${slot}: ${run.node} has ${digest}, others ${known}`);
    const applied = this.#applied.get(run.node);
    if (request !== null) applied?.set(slot, nameOf(request));
    // A machine keeps only so many entries behind its snapshot; what it drops then is counted, not named.
    if (applied !== undefined && applied.size > 60) applied.delete(applied.keys().next().value ?? slot);
    const epoch = epochOfSlot(slot, run.machine.config);
    for (const event of events) if (event.type === 'lock-granted') this.#granted(event.name, event.token, epoch);
  }

  #granted(name: LockName, token: number, epoch: number): void {
    const epochs = this.#tokens.get(name) ?? new Map<number, { lowest: number; highest: number }>();
    this.#tokens.set(name, epochs);
    for (const [other, { lowest, highest }] of epochs) {
      const grows = other === epoch || (other < epoch ? highest < token : token < lowest);
      if (!grows)
        this.#broken(
          'token growth',
          `${name} has token ${token} in epoch ${epoch}, and ${lowest} to ${highest} in ${other}`,
        );
    }
    const range = epochs.get(epoch) ?? { lowest: token, highest: token };
    epochs.set(epoch, { lowest: Math.min(range.lowest, token), highest: Math.max(range.highest, token) });
  }
}
