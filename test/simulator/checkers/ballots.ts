import { assertNever } from '../../../shared/assert.ts';
import type { NodeInput, NodeMessage } from '../../../src-main/core/node/messages.ts';
import { compareBallots, showBallot, type Ballot } from '../../../src-main/core/paxos/ballot.ts';
import { majority } from '../../../src-main/core/machine/quorum.ts';
import type { VoterConfig } from '../../../src-main/core/paxos/voters.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import type { Applied, Broken, Checker, Run } from './checker.ts';

const seatOf = (run: Run): string => `${run.node}/${run.incarnation}`;

/**
 * E1: at most one node completes phase 1 of a ballot. P4: no acceptor answers below a promise it ever sent, across
 * restarts, and what it sent is on its disk after any crash.
 */
export class Ballots implements Checker {
  readonly name = 'ballots';
  readonly #broken: Broken;
  readonly #winners = new Map<string, string>();
  /** The highest ballot each seat ever showed that it holds. */
  readonly #shown = new Map<string, Ballot>();
  /** The ballot of the latest vote each seat ever showed, by slot. */
  readonly #votes = new Map<string, Map<number, Ballot>>();
  /** The highest ballot in what each node has decided to send since it booted, in the order of its decisions. */
  readonly #decided = new Map<string, Ballot | null>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  onBoot(run: Run): void {
    this.#decided.set(run.node, run.machine.promised);
    const shown = this.#shown.get(seatOf(run));
    const { promised, committed, config } = run.machine;
    if (shown !== undefined && (promised === null || compareBallots(promised, shown) < 0)) {
      const now = promised === null ? 'none' : showBallot(promised);
      this.#broken('promise durability', `${run.node} showed ballot ${showBallot(shown)} and recovers ${now}`);
    }
    const kept = votesOf(run);
    for (const [slot, ballot] of this.#votes.get(seatOf(run)) ?? []) {
      if (slot <= committed || ballot.config !== config?.id) continue;
      const vote = kept.get(slot);
      if (vote !== undefined && compareBallots(vote, ballot) >= 0) continue;
      this.#broken(
        'vote durability',
        `${run.node} showed its vote at slot ${slot} in ${showBallot(ballot)} and lost it`,
      );
    }
  }

  onStep(run: Run, _input: NodeInput, effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.#decide(run, effect.message);
      if (effect.type !== 'emit' || effect.event.type !== 'coordinator-changed') continue;
      const { coordinator, ballot } = effect.event;
      if (coordinator !== run.node || ballot === null) continue;
      const winner = `${run.node}/${run.incarnation}/${run.boot}`;
      const known = this.#winners.get(showBallot(ballot));
      if (known !== undefined)
        this.#broken('one proposer', `${showBallot(ballot)} completed phase 1 at ${known} and again at ${winner}`);
      this.#winners.set(showBallot(ballot), winner);
    }
  }

  onSent(run: Run, message: NodeMessage): void {
    switch (message.type) {
      case 'promise':
        this.#show(run, message.ballot);
        break;
      case 'accepted':
        this.#show(run, message.ballot);
        for (let slot: number = message.firstSlot; slot <= message.lastSlot; slot++)
          this.#noteVote(run, slot, message.ballot);
        break;
      default:
    }
  }

  #decide(run: Run, message: NodeMessage): void {
    if (message.type !== 'promise' && message.type !== 'accepted') return;
    const known = this.#decided.get(run.node) ?? null;
    if (known !== null && compareBallots(message.ballot, known) < 0) {
      this.#broken(
        'promise durability',
        `${run.node} answers ${message.type} ${showBallot(message.ballot)} after ${showBallot(known)}`,
      );
    }
    this.#decided.set(run.node, message.ballot);
  }

  #show(run: Run, ballot: Ballot): void {
    const known = this.#shown.get(seatOf(run));
    if (known === undefined || compareBallots(ballot, known) > 0) this.#shown.set(seatOf(run), ballot);
  }

  #noteVote(run: Run, slot: number, ballot: Ballot): void {
    const votes = this.#votes.get(seatOf(run)) ?? new Map<number, Ballot>();
    this.#votes.set(seatOf(run), votes);
    votes.set(slot, ballot);
    // Long chosen everywhere that matters: only the window above the commit index is ever asked for.
    if (votes.size > 8_192) for (const old of [...votes.keys()].slice(0, 4_096)) votes.delete(old);
  }
}

function votesOf(run: Run): ReadonlyMap<number, Ballot> {
  const votes = new Map<number, Ballot>();
  for (const fact of run.machine.durableFacts()) {
    switch (fact.type) {
      case 'accepted':
        fact.entries.forEach((_, index) => votes.set(fact.firstSlot + index, fact.ballot));
        break;
      case 'promised':
      case 'epoch-promised':
      case 'set-aside':
      case 'reviewed':
      case 'learned':
      case 'committed':
        break;
      default:
        assertNever(fact);
    }
  }
  return votes;
}

/**
 * P1 at its root: in one ballot one slot is proposed one value, nothing is applied before a majority of the
 * configuration's seats showed their vote for it in one ballot, and no slot is so chosen twice with different values. A
 * ballot that proposes a stop-sign proposes nothing behind it, where the next configuration begins (Stoppable Paxos, 2008).
 */
export class Choice implements Checker {
  readonly name = 'choice';
  readonly #broken: Broken;
  readonly #configs = new Map<number, VoterConfig>();
  /** Copies that were compared already: a node shows the same one in every step. */
  readonly #compared = new WeakSet<VoterConfig>();
  readonly #proposed = new Map<string, string>();
  /** The slot of the stop-sign that a ballot proposes. */
  readonly #stopSigns = new Map<string, number>();
  readonly #votes = new Map<string, Set<string>>();
  readonly #chosen = new Map<number, string>();

  constructor(broken: Broken) {
    this.#broken = broken;
  }

  onBoot(run: Run): void {
    this.#noteConfig(run.machine.config);
  }

  onStep(run: Run): void {
    this.#noteConfig(run.machine.config);
  }

  #noteConfig(config: VoterConfig | null): void {
    if (config === null || this.#compared.has(config)) return;
    this.#compared.add(config);
    const known = this.#configs.get(config.id);
    if (known === undefined) {
      this.#configs.set(config.id, config);
      this.#checkBeginning(config);
    } else if (JSON.stringify(known) !== JSON.stringify(config)) {
      this.#broken(
        'one configuration',
        `configuration ${config.id} is ${JSON.stringify(known)} and ${JSON.stringify(config)}`,
      );
    }
  }

  /** M1: a configuration is what the stop-sign chosen just before its first slot says. */
  #checkBeginning(config: VoterConfig): void {
    if (config.id === 1) return;
    const stopSign = this.#chosen.get(config.firstSlot - 1);
    if (stopSign === JSON.stringify({ type: 'stop-sign', voters: config.voters })) return;
    this.#broken(
      'one configuration',
      `configuration ${config.id} begins behind slot ${config.firstSlot - 1}, where ${stopSign ?? 'nothing'} was chosen`,
    );
  }

  onSent(run: Run, message: NodeMessage): void {
    if (message.type === 'accept') {
      message.entries.forEach((entry, index) => {
        this.#noteEnd(run, message.ballot, message.firstSlot + index, entry.type === 'stop-sign');
        const key = `${message.firstSlot + index}@${showBallot(message.ballot)}`;
        const value = JSON.stringify(entry);
        const known = this.#proposed.get(key);
        if (known === undefined) this.#proposed.set(key, value);
        else if (known !== value)
          this.#broken('one value per ballot', `${run.node} proposes ${value} at ${key}, after ${known}`);
      });
    } else if (message.type === 'accepted') {
      const config = this.#configs.get(message.ballot.config);
      const seat = config?.voters.some((voter) => voter.node === run.node && voter.incarnation === run.incarnation);
      if (seat !== true) return;
      for (let slot: number = message.firstSlot; slot <= message.lastSlot; slot++)
        this.#vote(run, slot, message.ballot, config);
    }
  }

  #noteEnd(run: Run, ballot: Ballot, slot: number, isStopSign: boolean): void {
    const end = this.#stopSigns.get(showBallot(ballot));
    if (end === undefined && isStopSign) this.#stopSigns.set(showBallot(ballot), slot);
    if (end === undefined || slot <= end) return;
    this.#broken(
      'nothing behind a stop-sign',
      `${run.node} proposes slot ${slot} in ${showBallot(ballot)}, behind the stop-sign at ${end}`,
    );
  }

  #vote(run: Run, slot: number, ballot: Ballot, config: VoterConfig | undefined): void {
    const key = `${slot}@${showBallot(ballot)}`;
    const voters = this.#votes.get(key) ?? new Set();
    this.#votes.set(key, voters);
    voters.add(run.node);
    if (config === undefined || voters.size !== majority(config.voters.length)) return;
    const value = this.#proposed.get(key) ?? 'nothing';
    const known = this.#chosen.get(slot);
    if (known === undefined) this.#chosen.set(slot, value);
    else if (known !== value)
      this.#broken('agreement', `slot ${slot} is chosen as ${value} in ${showBallot(ballot)}, and was as ${known}`);
  }

  onApplied(run: Run, applied: Applied): void {
    const value = this.#chosen.get(applied.slot);
    if (value === undefined)
      this.#broken('applied before chosen', `${run.node} applies slot ${applied.slot}, which no majority holds`);
  }
}
