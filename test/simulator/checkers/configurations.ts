import type { NodeId } from '../../../shared/domain/ids.ts';
import { majority } from '../../../src-main/core/machine/quorum.ts';
import type { NodeInput, NodeMessage } from '../../../src-main/core/node/messages.ts';
import type { VoterConfig } from '../../../src-main/core/paxos/voters.ts';
import type { NodeEffect } from '../../../src-main/runtime/outbox.ts';
import type { Broken, Checker, Run } from './checker.ts';

/** For how long a coordinator may still count on a disk that is gone, and choose its machine as a voter. */
export const missedAfterMs = 10_000;

const seatName = (node: NodeId, incarnation: string): string => `${node}/${incarnation}`;

/**
 * M3: the identity of a state directory that was lost never promises or votes again. M4: a machine that was told of
 * another's removal does nothing more on its word. And the number of voters is always 1, 3 or 5.
 */
export class Configurations implements Checker {
  readonly name = 'configurations';
  readonly #broken: Broken;
  /** Members as the world would tell a node that starts now. */
  readonly #membersNow: () => readonly NodeId[];
  readonly #told = new Map<NodeId, ReadonlySet<NodeId>>();
  readonly #now: () => number;
  /** Seats whose state directory was lost, and when. */
  readonly #lost = new Map<string, number>();
  /** Seats of machines that are no members any more, and since when: they stop and come back as others. */
  readonly #removed = new Map<string, number>();
  /** Configurations for which a stop-sign has left somewhere: they may have ended unseen. */
  readonly #ending = new Set<number>();
  /** Whom the stop-signs of the newest configuration name: once one is chosen, it needs these disks. */
  readonly #named = new Set<NodeId>();
  #newest: VoterConfig | null = null;
  /** Configurations whose stop-sign left when a quorum of their disks had just gone. */
  readonly #chosenTooLate = new Set<number>();
  /** Voters of the newest configuration that have voted in it; the record of all before is then on their disks. */
  readonly #begunBy = new Set<NodeId>();
  /** Whose disks may hold the only copy of what came before the newest configuration. */
  #before: readonly NodeId[] = [];

  constructor(broken: Broken, now: () => number, membersNow: () => readonly NodeId[]) {
    this.#broken = broken;
    this.#now = now;
    this.#membersNow = membersNow;
  }

  onBoot(run: Run): void {
    this.#told.set(run.node, new Set(this.#membersNow()));
    this.#noteConfig(run);
  }

  onStep(run: Run, input: NodeInput, effects: readonly NodeEffect[]): void {
    this.#noteConfig(run);
    if (input.type === 'members-changed') this.#told.set(run.node, new Set(input.members));
    if (input.type !== 'received' || input.from === run.node) return;
    const acts = effects.some((effect) => !isDueAnyway(effect));
    if (acts && this.#told.get(run.node)?.has(input.from) === false) {
      this.#broken('removed members', `${run.node} acts on ${input.message.type} of ${input.from}, which was removed`);
    }
  }

  onSent(run: Run, message: NodeMessage): void {
    for (const entry of message.type === 'accept' ? message.entries : []) {
      if (message.type !== 'accept' || entry.type !== 'stop-sign') continue;
      this.#ending.add(message.ballot.config);
      for (const { node } of entry.voters) this.#named.add(node);
      if (this.#lostQuorum(entry.voters)?.every((at) => this.#now() - at <= missedAfterMs) === true)
        this.#chosenTooLate.add(message.ballot.config + 1);
    }
    if (message.type === 'accepted' && message.ballot.config === this.#newest?.id) this.#begunBy.add(run.node);
    const votes = message.type === 'promise' || message.type === 'accepted';
    if (votes && this.#lost.has(seatName(run.node, run.incarnation))) {
      this.#broken('voter identity', `${run.node} votes as ${run.incarnation}, whose state directory was lost`);
    }
  }

  /**
   * The voters were chosen when a quorum of their disks had gone, or of their machines been removed, within the last
   * moments: nobody could know, and the swarm stands still until people force a new quorum. Safety is still asked of it,
   * progress is not.
   */
  get isBereft(): boolean {
    const newest = this.#newest;
    return newest !== null && this.#chosenTooLate.has(newest.id) && this.#lostQuorum(newest.voters) !== null;
  }

  /** When the disks of these voters were lost; null as long as a quorum of them is left. */
  #lostQuorum(voters: VoterConfig['voters']): readonly number[] | null {
    const lostAt = voters.flatMap(({ node, incarnation }) => {
      const name = seatName(node, incarnation);
      return this.#removed.get(name) ?? this.#lost.get(name) ?? [];
    });
    return voters.length - lostAt.length < majority(voters.length) ? lostAt : null;
  }

  /** Its machine is no member any more; whoever is to choose voters may not have heard of it. */
  removed(node: NodeId, incarnation: string): void {
    this.#removed.set(seatName(node, incarnation), this.#now());
  }

  /** The state directory of this incarnation is gone. */
  lost(node: NodeId, incarnation: string): void {
    this.#lost.set(seatName(node, incarnation), this.#now());
  }

  /**
   * How many more of the voters may be lost for good with a quorum left, and which they are. None while a change
   * of voters is under way, which it is until a quorum of the new ones has voted: before that nobody outside can say
   * whose disks hold what was chosen.
   */
  losable(isLost: (node: NodeId, incarnation: string) => boolean): { voters: ReadonlySet<NodeId>; spare: number } {
    const config = this.#newest;
    if (config === null) return { voters: new Set(), spare: 0 };
    const quorum = majority(config.voters.length);
    const begun = this.#begunBy.size >= quorum;
    const lost = config.voters.filter(({ node, incarnation }) => isLost(node, incarnation)).length;
    const changing = this.#ending.has(config.id) || !begun;
    const spare = changing ? 0 : config.voters.length - quorum - lost;
    const needed = [...config.voters.map(({ node }) => node), ...this.#named, ...(begun ? [] : this.#before)];
    return { voters: new Set(needed), spare };
  }

  #noteConfig({ machine }: Run): void {
    const { config } = machine;
    if (config === null || (this.#newest !== null && config.id <= this.#newest.id)) return;
    this.#before = this.#newest?.voters.map(({ node }) => node) ?? [];
    this.#begunBy.clear();
    this.#named.clear();
    this.#newest = config;
    const names = new Set(config.voters.map(({ node }) => node));
    if (![1, 3, 5].includes(config.voters.length) || names.size !== config.voters.length) {
      this.#broken('number of voters', `configuration ${config.id} has ${config.voters.length}: ${[...names].join()}`);
    }
  }
}

/** With whatever comes in, a node sets timers for what it has to do, and gives the word of a hand-over again in its time. */
function isDueAnyway(effect: NodeEffect): boolean {
  if (effect.type === 'send') return effect.message.type === 'take-over';
  return effect.type === 'set-timer' || effect.type === 'cancel-timer';
}
