import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { checkpointsKept, entriesPerCheckpoint } from '../machine/limits.ts';
import type { LogChain } from '../paxos/log-chain.ts';
import { quorumOf, type VoterConfig } from '../paxos/voters.ts';

/** What one machine has at a slot where machines compare: a digest of its log up to there, and one of its state. */
export interface Checkpoint {
  /** Slots count anew in another epoch. */
  readonly epoch: number;
  readonly slot: Slot;
  readonly chain: LogChain;
  readonly state: string;
}

/** In what two machines differ. */
export type Difference = 'log' | 'state';

/** A machine has something else than others at a slot. */
export interface Divergence {
  readonly slot: Slot;
  readonly node: NodeId;
  readonly which: Difference;
  readonly own: Checkpoint;
  readonly theirs: Checkpoint;
  /** A majority of the voters, and at least two machines, have `theirs`. Otherwise nobody knows who is right. */
  readonly settled: boolean;
}

/** Null: the same, or nothing can be said, because their programs lay out records differently. */
export function differenceOf(one: Checkpoint, other: Checkpoint): Difference | null {
  if (one.epoch !== other.epoch || one.slot !== other.slot) return null;
  if (one.chain.version !== other.chain.version) return null;
  if (one.chain.origin === other.chain.origin && one.chain.link !== other.chain.link) return 'log';
  return one.state === other.state ? null : 'state';
}

const isSame = (one: Checkpoint, other: Checkpoint): boolean =>
  one.epoch === other.epoch && one.chain.version === other.chain.version && differenceOf(one, other) === null;

/**
 * The latest checkpoints of this machine and, while it coordinates, those that others reported. Digests say that two
 * machines differ, never who is right: that takes a third one.
 */
export class Checkpoints {
  readonly #self: NodeId;
  readonly #own = new Map<Slot, Checkpoint>();
  readonly #reports = new Map<Slot, Map<NodeId, Checkpoint>>();
  /** What was answered already, so that it is said once. */
  readonly #said = new Set<string>();
  #latest: Checkpoint | null = null;

  constructor(self: NodeId) {
    this.#self = self;
  }

  get latest(): Checkpoint | null {
    return this.#latest;
  }

  ownAt(at: Slot): Checkpoint | undefined {
    return this.#own.get(at);
  }

  note(checkpoint: Checkpoint): void {
    const oldest = slot(checkpoint.slot - checkpointsKept * entriesPerCheckpoint);
    this.#own.set(checkpoint.slot, checkpoint);
    this.#latest = checkpoint;
    for (const at of this.#own.keys()) if (at <= oldest) this.#own.delete(at);
    for (const at of this.#reports.keys()) if (at <= oldest) this.#reports.delete(at);
  }

  /** The chain of this machine goes further back from now on. */
  relink(chainAt: (at: Slot) => LogChain | undefined): void {
    for (const [at, checkpoint] of this.#own) {
      const relinked = { ...checkpoint, chain: chainAt(at) ?? checkpoint.chain };
      this.#own.set(at, relinked);
      if (at === this.#latest?.slot) this.#latest = relinked;
    }
  }

  /** Another coordinator may have asked and answered since: everything is compared anew. */
  beginOffice(): void {
    this.#reports.clear();
    this.#said.clear();
  }

  /** Takes another machine's report. Bounded by the slots that this machine remembers, or will soon come to. */
  report(from: NodeId, checkpoint: Checkpoint): void {
    const known = this.#reports.get(checkpoint.slot);
    if (known === undefined && this.#reports.size >= 2 * checkpointsKept) return;
    const reports = known ?? new Map<NodeId, Checkpoint>();
    this.#reports.set(checkpoint.slot, reports);
    reports.set(from, checkpoint);
  }

  /**
   * Who differs at a slot, as far as that is known and was not said before. `late`: voters that have not reported by now
   * may be away for long.
   */
  judge(at: Slot, config: VoterConfig, late = false): readonly Divergence[] {
    const own = this.#own.get(at);
    if (own === undefined) return [];
    const all = new Map(this.#reports.get(at)).set(this.#self, own);
    const ofVoters = config.voters.flatMap(({ node }) => all.get(node) ?? []);
    const best = mostShared(own, ofVoters, [...all.values()]);
    const votes = sharing(best, ofVoters);
    const agreed = votes >= quorumOf(config);
    // More voters may yet report and settle it.
    if (!agreed && !late && ofVoters.length < config.voters.length) return [];
    const settled = agreed && sharing(best, [...all.values()]) > 1;
    return [...all].flatMap(([node, theirOwn]) => {
      const which = differenceOf(theirOwn, best);
      if (which === null || !this.#isNews(at, node, settled)) return [];
      return [{ slot: at, node, which, own: theirOwn, theirs: best, settled }];
    });
  }

  #isNews(at: Slot, node: NodeId, settled: boolean): boolean {
    const saying = `${at}/${node}/${settled}`;
    if (this.#said.has(saying)) return false;
    // Long ago, and better said twice than kept for ever.
    if (this.#said.size > 1_000) this.#said.clear();
    this.#said.add(saying);
    return true;
  }
}

const sharing = (candidate: Checkpoint, among: readonly Checkpoint[]): number =>
  among.filter((one) => isSame(one, candidate)).length;

/** What most voters have; where several are equal, what most machines have, and the own one before others. */
function mostShared(own: Checkpoint, ofVoters: readonly Checkpoint[], all: readonly Checkpoint[]): Checkpoint {
  let best = own;
  for (const candidate of ofVoters) {
    const more = sharing(candidate, ofVoters) - sharing(best, ofVoters);
    if (more > 0 || (more === 0 && sharing(candidate, all) > sharing(best, all))) best = candidate;
  }
  return best;
}
