import { assertNever } from '../../../shared/assert.ts';
import type { NodeId } from '../../../shared/domain/ids.ts';
import type { Bully } from '../election/bully.ts';
import type { Random } from '../machine/random.ts';
import { instant, type Instant } from '../machine/time.ts';
import type { NodeTiming } from '../machine/timing.ts';
import type { Followed } from '../paxos/acceptor.ts';
import { sameBallot, type Ballot } from '../paxos/ballot.ts';
import type { Replica } from '../paxos/replica.ts';
import { voterIn, type VoterConfig } from '../paxos/voters.ts';
import { ranked, type RankTable } from '../ranks/rank-table.ts';
import type { LoggedRequest } from '../state-machine/command.ts';
import type { Comparing } from './comparing.ts';
import type { NodeEffect, NodeEvent, NodeTimer, TakeOverMessage } from './messages.ts';
import type { Office } from './office.ts';
import type { Proposals } from './proposals.ts';
import type { Reading } from './reading.ts';
import type { Requesting } from './requesting.ts';
import { roleOf, type Standing } from './standing.ts';

export interface LeadershipOptions {
  readonly self: NodeId;
  readonly timing: NodeTiming;
  readonly random: Random;
  readonly replica: Replica<LoggedRequest>;
  readonly bully: Bully;
  readonly standing: Standing;
  readonly proposals: Proposals;
  readonly office: Office;
  readonly requesting: Requesting;
  readonly reading: Reading;
  readonly comparing: Comparing;
  readonly connected: ReadonlySet<NodeId>;
  readonly ranks: () => RankTable;
  readonly emit: (event: NodeEvent) => void;
  readonly push: (effect: NodeEffect) => void;
  readonly arm: (timer: NodeTimer, afterMs: number) => void;
}

/** How this node comes to coordinate, whom it follows otherwise, and what ends either. */
export class Leadership {
  readonly #options: LeadershipOptions;
  #config: VoterConfig | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Whom this node hears as coordinator, and the ballot that a prepare of this sender must name to be let through. */
  followed(now: Instant, from: NodeId): Followed | null {
    const { self, bully, office, replica, standing } = this.#options;
    const node = bully.hearsCoordinator(now);
    if (node === self) return { node, leave: office.successor === from ? replica.ballot : null };
    return node === null ? null : { node, leave: standing.ballotOf(node) };
  }

  /** Only the coordinator that this node follows, in the very ballot it follows, can ask it to go ahead. */
  onTakeOver(now: Instant, from: NodeId, { ballot, reason }: TakeOverMessage): void {
    const { bully, replica, standing } = this.#options;
    const current = sameBallot(standing.ballotOf(from), ballot);
    const { config } = replica;
    if (!current || config?.id !== ballot.config || !replica.hasSeat || replica.phase !== 'idle') return;
    bully.takeOver();
    replica.tryToLead(now, 0, ballot);
    this.noteRole(`handed over: ${reason}`);
  }

  /** C.3 rule 5: whatever was believed about others is void before anything else is handled. */
  onWoke(): void {
    const { replica, office, reading, bully, standing } = this.#options;
    replica.stepDown();
    office.woke();
    reading.endCoordination();
    bully.woke();
    standing.followNobody('this machine woke up');
    this.noteRole('this machine woke up');
  }

  /** Somebody with room should coordinate: the log grows fastest where it is led. */
  onDisk(full: boolean): void {
    const { replica, proposals, bully } = this.#options;
    proposals.essentialOnly = full;
    bully.reluctant = full;
    if (!full || replica.phase === 'idle') return;
    replica.stepDown();
    this.end('the disk of this machine is full');
  }

  awaitEpoch(): void {
    const { proposals, bully, standing } = this.#options;
    proposals.clear();
    bully.configure([], false);
    standing.followNobody('a new epoch is being opened');
    this.noteRole('a new epoch is being opened');
  }

  beat(now: Instant): void {
    const { replica, office, timing, connected, arm } = this.#options;
    if (replica.phase !== 'leading') return;
    const { quorumAt } = replica;
    if (quorumAt !== null && now - quorumAt > timing.quorumMs) {
      replica.stepDown();
      this.end(`no quorum of voters answered for ${timing.quorumMs} ms`);
      return;
    }
    office.onBeat(now);
    // Links lose frames only when they break or overflow: a late answer is most often a slow disk.
    replica.heartbeat(now, [...connected], instant(now - 2 * timing.heartbeatMs));
    arm('heartbeat', timing.heartbeatMs);
  }

  end(reason: string): void {
    const { self, bully, office, reading, standing } = this.#options;
    bully.lost(reason);
    const successor = office.end();
    if (successor !== null) bully.deferTo(successor);
    reading.endCoordination();
    if (standing.coordinator?.node === self) standing.followNobody(reason);
    this.noteRole(reason);
  }

  takeElection(now: Instant): void {
    const { bully, replica, random, standing, push } = this.#options;
    for (const output of bully.take()) {
      switch (output.type) {
        case 'try':
          replica.tryToLead(now, random.below(2));
          this.noteRole(output.reason);
          break;
        case 'give-up':
          replica.stepDown();
          this.noteRole('phase 1 found no quorum in time');
          break;
        case 'suspected':
          standing.followNobody(output.reason);
          break;
        case 'send':
        case 'set-timer':
        case 'cancel-timer':
          push(output);
          break;
        default:
          assertNever(output);
      }
    }
  }

  onCoordinatorHeard(now: Instant, coordinator: NodeId, ballot: Ballot): void {
    const { self, bully, standing, requesting, comparing } = this.#options;
    if (coordinator === self) return;
    bully.coordinatorHeard(now, coordinator);
    if (!standing.follow(coordinator, ballot)) return;
    this.#askAgain();
    this.noteRole('follows the coordinator');
    requesting.sendDue(now);
    comparing.onFollowing();
  }

  /** A phase-1 quorum: the receipt goes out at once, as a heartbeat. Requests wait for the barrier. */
  onWon(now: Instant): void {
    const { self, replica, bully, office, comparing, standing, timing, connected, arm } = this.#options;
    const { ballot } = replica;
    if (ballot === null) return;
    bully.won(now);
    office.begin(now);
    comparing.beginOffice();
    this.#askAgain();
    standing.coordinate(self, ballot);
    this.noteRole('it has a phase-1 quorum');
    replica.heartbeat(now, [...connected], now);
    arm('heartbeat', timing.heartbeatMs);
  }

  /** Takes part under the configuration that the log has come to. `led`: this node coordinated until now. */
  followConfig(led: boolean): void {
    const { replica, bully, ranks } = this.#options;
    const { config } = replica;
    if (config === null) return;
    bully.adoptRanks(config.voters, ranks());
    const same = config.id === this.#config?.id && config.epoch === this.#config.epoch;
    if (!same) this.adoptConfig(config, led || this.#inherits(config));
  }

  /** `haste`: nobody else may know of it, or go ahead, yet. */
  adoptConfig(config: VoterConfig, haste: boolean): void {
    const { self, replica, bully, ranks, standing, connected, emit } = this.#options;
    this.#config = config;
    // Whoever has promised a new epoch takes part in no election of the old one, and a machine with a new state directory
    // in none that knows it by the old one: it would be counted as awake and could not vote.
    const voters = ranked(config.voters, ranks()).filter(({ node }) => node !== self || replica.hasSeat);
    const known = standing.coordinator;
    const leads = known !== null && known.ballot.epoch === config.epoch && known.ballot.config === config.id;
    if (replica.awaitsEpoch) bully.configure([], haste);
    else bully.configure(voters, haste, leads ? known.node : null);
    if (haste) replica.push([...connected]);
    this.#askAgain();
    emit({ type: 'config-changed', config });
    this.noteRole('the voters changed');
  }

  noteRole(reason: string): void {
    const { replica, standing } = this.#options;
    standing.become(roleOf(replica), replica.ballot, reason);
  }

  /** The former coordinator has given up its seat: the first of the new voters goes ahead, or all would wait. */
  #inherits(config: VoterConfig): boolean {
    const { self, standing } = this.#options;
    const former = standing.coordinator?.node;
    return former !== undefined && voterIn(config, former) === undefined && config.voters[0]?.node === self;
  }

  /** Whoever was asked may not coordinate any more. */
  #askAgain(): void {
    this.#options.requesting.sendAgain();
    this.#options.reading.askAgain();
  }
}
