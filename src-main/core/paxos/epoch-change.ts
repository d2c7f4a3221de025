import { slot, type NodeId, type Slot } from '../../../shared/domain/ids.ts';
import { entriesPerMessageMax } from '../machine/limits.ts';
import type { Acceptor } from './acceptor.ts';
import type { EffectList } from './effects.ts';
import { cutOf, firstConfigOf, type Epochs } from './epochs.ts';
import type { Entry } from './messages.ts';
import type { Proposer } from './proposer.ts';
import { entriesToRepropose } from './repropose.ts';
import type { SlotLog } from './slot-log.ts';
import { mayVote, type Voter, type VoterConfig } from './voters.ts';

interface Parts<Payload> {
  readonly self: NodeId;
  readonly log: SlotLog<Payload>;
  readonly acceptor: Acceptor<Payload>;
  readonly proposer: Proposer<Payload>;
  readonly epochs: Epochs<Payload>;
  readonly out: EffectList<Payload>;
}

/** How far an opening is: the log of another machine is needed first, or the epoch has begun with these entries. */
type OpeningStep<Payload> =
  | { readonly type: 'behind'; readonly node: NodeId; readonly committed: Slot }
  | { readonly type: 'opened'; readonly config: VoterConfig; readonly entries: readonly Entry<Payload>[] };

/** What a forced new quorum does to the parts of a replica; `Epochs` only remembers. */
export class EpochChange<Payload> {
  readonly #parts: Parts<Payload>;

  constructor(parts: Parts<Payload>) {
    this.#parts = parts;
  }

  /** A later epoch takes over: what this machine has and the other has not is kept for people, and merged by nobody. */
  setTailAside(next: VoterConfig): void {
    const { log, epochs, out } = this.#parts;
    const { config } = log;
    if (config === null || next.epoch <= config.epoch) return;
    const lastSlot = cutOf(config.epoch, next.cuts);
    const entries = lastSlot === null ? [] : log.entriesAfter(lastSlot).filter(({ type }) => type === 'payload');
    for (let start = 0; start < entries.length; start += entriesPerMessageMax) {
      const aside = { epoch: config.epoch, entries: entries.slice(start, start + entriesPerMessageMax) };
      epochs.keepAside(aside);
      out.persist({ type: 'set-aside', ...aside });
    }
  }

  forgetAside(): void {
    this.#parts.epochs.forgetAside();
    this.#parts.out.persist({ type: 'reviewed' });
  }

  /** A person decided on a new epoch: promises, on disk, to hear no lower one, and tells `to` what is here. */
  promise(epoch: number, to: NodeId): boolean {
    const { log, acceptor, proposer, epochs, out } = this.#parts;
    if (!epochs.mayPromise(epoch, to, log.config)) return false;
    proposer.stop();
    epochs.promise(epoch, to);
    acceptor.ignoreBelow(epoch);
    out.persist({ type: 'epoch-promised', epoch, to });
    out.send(to, { type: 'epoch-promise', epoch, committed: log.committed, votes: log.votes() });
    return true;
  }

  /** Asks for the epoch promised to this machine to be opened as soon as all of `from` have promised it. */
  ask(epoch: number, voters: readonly Voter[], from: ReadonlySet<NodeId>): boolean {
    const { self, epochs } = this.#parts;
    if (!mayVote(voters) || epochs.promised?.to !== self) return false;
    epochs.open({ epoch, voters, from });
    return true;
  }

  /**
   * First the log must reach the most advanced one among the promises. What was only voted for there may have been
   * acknowledged, so it follows in the new epoch: twice is harmless, lost is not. Null while promises are missing.
   */
  advance(): OpeningStep<Payload> | null {
    const { log, epochs } = this.#parts;
    const { report } = epochs;
    const { config } = log;
    if (report === null || config === null) return null;
    if (report.committed > log.committed) return { type: 'behind', node: report.at, committed: report.committed };
    const { entries } = entriesToRepropose(slot(log.committed + 1), report.votes);
    const { epoch, voters } = report.opening;
    const first = firstConfigOf(epoch, config, log.committed, voters);
    epochs.opened();
    log.beginEpoch(first);
    return { type: 'opened', config: first, entries: entries.filter(({ type }) => type === 'payload') };
  }
}
