import type { NodeId } from '../../../shared/domain/ids.ts';
import { Bully } from '../election/bully.ts';
import { seededRandom, type Random } from '../machine/random.ts';
import { lanTiming, type NodeTiming } from '../machine/timing.ts';
import { Replica } from '../paxos/replica.ts';
import type { LoggedRequest } from '../state-machine/command.ts';
import { stateDigest } from '../state-machine/state-digest.ts';
import { CommitNews } from './commit-news.ts';
import { Comparing } from './comparing.ts';
import { CoordinatorDuties } from './coordinator-duties.ts';
import type { EffectBuffer } from './effect-buffer.ts';
import { supportedLevel } from '../levels/feature-levels.ts';
import { Leadership } from './leadership.ts';
import { tooEarly } from './level-gate.ts';
import type { NodeEvent, NodeMessage } from './messages.ts';
import { Office } from './office.ts';
import { weigh, type NodeOptions } from './options.ts';
import { Proposals } from './proposals.ts';
import { Reading } from './reading.ts';
import { ReplicatedState } from './replicated-state.ts';
import { Requesting } from './requesting.ts';
import { Standing } from './standing.ts';

/** What a node consists of. */
export interface NodeParts {
  readonly timing: NodeTiming;
  readonly random: Random;
  readonly replica: Replica<LoggedRequest>;
  readonly replicated: ReplicatedState;
  readonly standing: Standing;
  readonly bully: Bully;
  readonly duties: CoordinatorDuties;
  readonly office: Office;
  readonly requesting: Requesting;
  readonly reading: Reading;
  readonly comparing: Comparing;
  readonly leadership: Leadership;
  readonly commitNews: CommitNews;
}

interface Surroundings {
  readonly effects: EffectBuffer;
  readonly connected: ReadonlySet<NodeId>;
  readonly members: () => ReadonlySet<NodeId>;
}

/** Makes the parts and shows each of them those it needs. The order of the draws is part of a seed's course. */
export function createParts(options: NodeOptions, { effects, connected, members }: Surroundings): NodeParts {
  const { self, supports = supportedLevel } = options;
  const replicated = new ReplicatedState(supports);
  const standing = new Standing((event) => effects.emit(event));
  const timing = { ...lanTiming, ...options.timing };
  const random = seededRandom(options.seed);
  const replica = new Replica(self, weigh, () => replicated.state.levels.level);
  const bully = new Bully(self.node, timing, random);
  const duties = new CoordinatorDuties(self, timing);
  const proposals = new Proposals(self.node);
  const ways = {
    self: self.node,
    retryMs: timing.retryMs,
    replica,
    proposals,
    coordinator: () => standing.coordinator?.node ?? null,
    send: (to: NodeId, message: NodeMessage) => effects.send(to, message),
    emit: (event: NodeEvent) => effects.emit(event),
  };
  const office = new Office({
    ...ways,
    timing,
    supports,
    duties,
    state: () => replicated.state,
    members,
    connected,
    wall: options.wall,
    arm: (timer, afterMs) => effects.arm(timer, afterMs),
  });
  const requesting = new Requesting({
    ...ways,
    applied: () => replicated.state.clients,
    leading: () => replica.phase === 'leading',
    tooEarly: (request) => tooEarly(request, { state: replicated.state, members: members() }),
  });
  const reading = new Reading({ ...ways, firstAttempt: random.below(2 ** 30) * 2 ** 20 });
  const comparing = new Comparing({ ...ways, digest: (turn) => stateDigest(replicated.state, turn) });
  const leadership = new Leadership({
    ...ways,
    timing,
    random,
    bully,
    standing,
    office,
    requesting,
    reading,
    comparing,
    connected,
    ranks: () => replicated.state.ranks,
    push: (effect) => effects.push(effect),
    arm: (timer, afterMs) => effects.arm(timer, afterMs),
  });
  const commitNews = new CommitNews({
    replica,
    connected,
    commitNewsMs: timing.commitNewsMs,
    arm: (timer, afterMs) => effects.arm(timer, afterMs),
  });
  return {
    timing,
    random,
    replica,
    replicated,
    standing,
    bully,
    duties,
    office,
    requesting,
    reading,
    comparing,
    leadership,
    commitNews,
  };
}
