import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { entriesPerCheckpoint } from '../machine/limits.ts';
import type { Replica } from '../paxos/replica.ts';
import type { LoggedRequest } from '../state-machine/command.ts';
import { Checkpoints, differenceOf, type Checkpoint, type Divergence } from './checkpoints.ts';
import type { ComparisonMessage, NodeEvent, NodeMessage } from './messages.ts';

export interface ComparingOptions {
  readonly self: NodeId;
  readonly replica: Pick<Replica<LoggedRequest>, 'phase' | 'config' | 'chainAt' | 'adoptChain'>;
  readonly coordinator: () => NodeId | null;
  /** Of the state as it is now; `turn` counts the slots at which that is asked for. */
  readonly digest: (turn: number) => string;
  readonly send: (to: NodeId, message: NodeMessage) => void;
  readonly emit: (event: NodeEvent) => void;
}

/** Comparisons after which nobody waits any longer for the word of a voter. */
const lateAfter = 2;

/**
 * Machines tell the coordinator what they have at every thousandth slot. Whoever differs from a majority of the voters
 * stops: by then its memory, its disk or its program has failed in a way that no checksum on the way has seen.
 */
export class Comparing {
  readonly #options: ComparingOptions;
  readonly #checkpoints: Checkpoints;
  #diverged: Divergence | null = null;

  constructor(options: ComparingOptions) {
    this.#options = options;
    this.#checkpoints = new Checkpoints(options.self);
  }

  /** This machine differs from a majority: it must not act on what it has any more. */
  get diverged(): Divergence | null {
    return this.#diverged;
  }

  get latest(): Checkpoint | null {
    return this.#checkpoints.latest;
  }

  /** The state is that of `at`, exactly. */
  onApplied(at: Slot): void {
    if (at % entriesPerCheckpoint !== 0) return;
    const { replica } = this.#options;
    const chain = replica.chainAt(at);
    if (chain === undefined || replica.config === null) return;
    const { epoch } = replica.config;
    this.#checkpoints.note({ epoch, slot: at, chain, state: this.#options.digest(at / entriesPerCheckpoint) });
    if (!this.#leads) return this.onFollowing();
    this.#judge(at);
    this.#judge(slot(at - lateAfter * entriesPerCheckpoint), true);
  }

  /** Others report anew to a coordinator that is new in office. */
  beginOffice(): void {
    this.#checkpoints.beginOffice();
  }

  /** Tells the coordinator what this machine has: after each checkpoint, and to one who is new. */
  onFollowing(): void {
    const coordinator = this.#options.coordinator();
    const { latest } = this.#checkpoints;
    if (coordinator === null || coordinator === this.#options.self || latest === null) return;
    this.#options.send(coordinator, { type: 'checkpoint', checkpoint: latest });
  }

  onMessage(from: NodeId, message: ComparisonMessage): void {
    const { checkpoint } = message;
    if (this.#leads) {
      if (message.type === 'checkpoint') this.#onReport(from, checkpoint);
      return;
    }
    const own = this.#checkpoints.ownAt(checkpoint.slot);
    if (from !== this.#options.coordinator() || own === undefined) return;
    if (message.type === 'checkpoint') return this.#adopt(checkpoint);
    const which = differenceOf(own, checkpoint);
    if (which === null) return;
    const { settled } = message;
    this.#found({ slot: own.slot, node: this.#options.self, which, own, theirs: checkpoint, settled });
  }

  get #leads(): boolean {
    return this.#options.replica.phase === 'leading';
  }

  #onReport(from: NodeId, checkpoint: Checkpoint): void {
    this.#checkpoints.report(from, checkpoint);
    this.#adopt(checkpoint);
    this.#judge(checkpoint.slot);
    const own = this.#checkpoints.ownAt(checkpoint.slot);
    if (own !== undefined && own.chain.origin < checkpoint.chain.origin)
      this.#options.send(from, { type: 'checkpoint', checkpoint: own });
  }

  /** A chain that goes further back than the own one goes on here, where the states agree. */
  #adopt(checkpoint: Checkpoint): void {
    const own = this.#checkpoints.ownAt(checkpoint.slot);
    if (own === undefined || differenceOf(own, checkpoint) !== null) return;
    if (this.#options.replica.adoptChain(checkpoint.slot, checkpoint.chain))
      this.#checkpoints.relink((at) => this.#options.replica.chainAt(at));
  }

  #judge(at: Slot, late = false): void {
    const { config } = this.#options.replica;
    if (config === null) return;
    for (const divergence of this.#checkpoints.judge(at, config, late)) this.#found(divergence);
  }

  #found(divergence: Divergence): void {
    const { self, send, emit } = this.#options;
    const { node, theirs, settled } = divergence;
    if (node === self && settled) this.#diverged = divergence;
    if (node !== self) send(node, { type: 'divergence', checkpoint: theirs, settled });
    emit({ type: 'diverged', divergence });
  }
}
