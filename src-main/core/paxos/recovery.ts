import { slot, type Slot } from '../../../shared/domain/ids.ts';
import { assertNever } from '../../../shared/assert.ts';
import type { Acceptor } from './acceptor.ts';
import type { Ballot } from './ballot.ts';
import type { Epochs } from './epochs.ts';
import type { PaxosFact, Snapshot } from './facts.ts';
import type { Chosen, SlotLog } from './slot-log.ts';
import type { VoterConfig } from './voters.ts';

/** The parts of a replica that outlive its process. */
export interface DurableParts<Payload> {
  readonly log: SlotLog<Payload>;
  readonly acceptor: Acceptor<Payload>;
  readonly epochs: Epochs<Payload>;
}

/** How much one machine knows, for people who must choose between machines. */
export interface Advance {
  readonly incarnation: string;
  readonly config: VoterConfig | null;
  readonly promised: Ballot | null;
  /** The epoch promised last; that of the configuration when none was. */
  readonly epochPromised: number;
  readonly committed: Slot;
  /** The last slot for which it has voted. */
  readonly votedThrough: Slot;
}

/** What a replay found: the chosen entries after the snapshot, in order, and the highest round of any ballot. */
export interface Replayed<Payload> {
  readonly chosen: readonly Chosen<Payload>[];
  readonly highestRound: number;
}

/** Replays what the disk held into parts that are new. */
export function replay<Payload>(
  { log, acceptor, epochs }: DurableParts<Payload>,
  snapshot: Snapshot | null,
  facts: readonly PaxosFact<Payload>[],
): Replayed<Payload> {
  if (snapshot !== null) log.install(snapshot);
  const chosen: Chosen<Payload>[] = [];
  let highestRound = 0;
  for (const fact of facts) {
    if (fact.type === 'promised' || fact.type === 'accepted') {
      acceptor.restore(fact.ballot);
      highestRound = Math.max(highestRound, fact.ballot.round);
    }
    switch (fact.type) {
      case 'promised':
        break;
      case 'accepted':
        fact.entries.forEach((entry, index) => {
          log.restoreVote(slot(fact.firstSlot + index), fact.ballot, entry);
        });
        break;
      case 'learned':
        fact.entries.forEach((entry, index) => {
          if (fact.firstSlot + index === log.committed + 1) chosen.push(log.commit(entry));
        });
        break;
      case 'epoch-promised':
        epochs.promise(fact.epoch, fact.to);
        acceptor.ignoreBelow(fact.epoch);
        break;
      case 'set-aside':
        epochs.keepAside(fact);
        break;
      case 'reviewed':
        epochs.forgetAside();
        break;
      case 'committed':
        for (let at = slot(log.committed + 1); at <= fact.slot; at = slot(at + 1)) {
          const vote = log.voteAt(at);
          if (vote === undefined) break;
          chosen.push(log.commit(vote.entry));
        }
        break;
      default:
        assertNever(fact);
    }
  }
  return { chosen, highestRound };
}

/** What the journal must hold beside the snapshot: the promise, the chosen entries after it, the votes above them. */
export function durableFactsOf<Payload>({ log, acceptor, epochs }: DurableParts<Payload>): PaxosFact<Payload>[] {
  const facts: PaxosFact<Payload>[] = [];
  const snapshotSlot = log.snapshot?.slot ?? 0;
  const entries = [];
  for (let at = slot(snapshotSlot + 1); at <= log.committed; at = slot(at + 1)) {
    const entry = log.chosenAt(at);
    if (entry !== undefined) entries.push(entry);
  }
  if (entries.length > 0) facts.push({ type: 'learned', firstSlot: slot(snapshotSlot + 1), entries });
  for (const vote of log.votes()) {
    facts.push({ type: 'accepted', ballot: vote.ballot, firstSlot: vote.slot, entries: [vote.entry] });
  }
  if (acceptor.promised !== null) facts.push({ type: 'promised', ballot: acceptor.promised });
  if (epochs.promised !== null) facts.push({ type: 'epoch-promised', ...epochs.promised });
  for (const aside of epochs.setAside) facts.push({ type: 'set-aside', ...aside });
  return facts;
}

export function advanceOf<Payload>(incarnation: string, { log, acceptor, epochs }: DurableParts<Payload>): Advance {
  const { config, committed } = log;
  return {
    incarnation,
    config,
    promised: acceptor.promised,
    epochPromised: Math.max(epochs.floor, config?.epoch ?? 0),
    committed,
    votedThrough: log.votes().at(-1)?.slot ?? committed,
  };
}
